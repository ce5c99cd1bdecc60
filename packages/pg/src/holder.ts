import type { Connection } from "@mirrorpool/core";

/** What the server says unasked, by the name of `pg`'s event. */
export type Unasked = "notice" | "notification" | "parameterStatus";

/** Who has a connection on loan and is to hear what it says; the field `holder` of a statement says so. */
export interface Holder {
  /** Its statement is about to be sent on this connection. */
  attach(connection: HeldConnection): void;
  /** A notice, a notification, a setting: only of interest while the holder still has the connection. */
  hear(connection: HeldConnection, event: Unasked, message: unknown): void;
}

/** A connection as its holder sees it. */
export interface HeldConnection extends Pick<Connection, "setRef"> {
  readonly processID: number | null;
  readonly secretKey: number | null;
}
