import type { Fault } from "@mirrorpool/core";

/** An error of the simulated database or its network, with a code as PostgreSQL and Node give them. */
export class SimulatedError extends Error {
  override readonly name = "SimulatedError";
  readonly code: Code;
  constructor(code: Code) {
    super(code);
    this.code = code;
  }
}

/** SQLSTATE, or Node's code. */
export type Code =
  | "23505"
  | "25P02"
  | "57014"
  | "40P01"
  | "25006"
  | "57P03"
  | "53300"
  | "28P01"
  | "57P01"
  | "ECONNREFUSED"
  | "EHOSTUNREACH"
  | "ECONNRESET"
  | "ETIMEDOUT";

const kinds: Readonly<Record<Code, Fault["kind"]>> = {
  // answers of the server
  "23505": "statement",
  "25P02": "statement",
  "57014": "statement",
  "40P01": "rolled-back",
  "25006": "read-only",
  "57P03": "not-ready",
  "53300": "overloaded",
  "28P01": "configuration",
  "57P01": "gone",
  // of the network
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "unreachable",
  ECONNRESET: "gone",
  ETIMEDOUT: "silent",
};

/** Codes that say: refused before any effect. */
export const refusals: ReadonlySet<string> = new Set<Code>(["25006", "57P03", "53300", "28P01"]);

export function classify(error: unknown): Fault {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  if (code === undefined || !Object.hasOwn(kinds, code)) return { kind: "statement", code };
  return { kind: kinds[code as Code], code };
}
