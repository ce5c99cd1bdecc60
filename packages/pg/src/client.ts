import type { Socket } from "node:net";
import type pg from "pg";

/** What of `pg`'s client is used beyond its published types; the same in every version since 8.16. */
interface ClientInternals {
  readonly connection: {
    readonly stream: Socket;
    /** Named statements that the server is believed to have, by name. */
    readonly parsedStatements: Record<string, string>;
    on(event: "readyForQuery", listener: (message: { readonly status: string }) => void): void;
    on(event: "end" | "error", listener: () => void): void;
    on(event: "commandComplete", listener: (message: { readonly text: string }) => void): void;
    on(event: "bindComplete", listener: () => void): void;
    on(event: "parameterStatus", listener: (message: { readonly parameterName: string }) => void): void;
    prependListener(event: "readyForQuery", listener: (message: { readonly status: string }) => void): void;
  };
  readonly processID: number | null;
  readonly secretKey: number | null;
  /** False while an answer of the server is to come. */
  readonly readyForQuery: boolean;
  /** False once the client has given its connection up. */
  readonly _queryable: boolean;
  ref(): void;
  unref(): void;
  /** Whether statements are sent without waiting for answers; absent before 8.22. May be changed while nothing is under way. */
  pipeline?: boolean;
}

/** `pg`'s client as this driver uses it. */
export type Client = pg.Client & ClientInternals;
