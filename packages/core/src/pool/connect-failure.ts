import type { Fault } from "../driver.ts";

/** A connection could not be had: nothing was sent. Not for applications: the session decides what to do about it. */
export class ConnectFailure extends Error {
  override readonly name = "ConnectFailure";
  readonly fault: Fault;
  constructor(fault: Fault, cause: unknown) {
    super("no connection", { cause });
    this.fault = fault;
  }
}
