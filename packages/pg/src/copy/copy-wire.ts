/** What of `pg`'s connection COPY speaks to, beyond its published types; the same in every version since 8.16. */
export interface CopyWire {
  query(text: string): void;
  endCopyFrom(): void;
  readonly stream: CopySocket;
}

/** The socket below it. */
export interface CopySocket {
  listeners(event: "data"): ((bytes: Uint8Array) => void)[];
  addListener(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  removeListener(event: "data" | "drain", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "drain", listener: () => void): unknown;
  write(bytes: Uint8Array, sent?: (error?: Error | null) => void): boolean;
  pause(): void;
  resume(): void;
  destroy(): void;
  readonly writableNeedDrain: boolean;
  /** True with TLS. */
  readonly encrypted?: boolean;
  /** What Node.js reads from. Where a version has it otherwise nothing is done with it. */
  readonly _handle?: { reading?: boolean; readStop?(): unknown; readStart?(): unknown } | null;
}
