import type { Row } from "./compare.ts";
import type { Verdict } from "./judge.ts";
import type { Figure, Table } from "./suite.ts";

/** What one suite has measured, as `--json` writes it. */
export interface Report {
  readonly suite: string;
  readonly rows: readonly Row[];
  readonly figures?: readonly Figure[];
  readonly tables?: readonly Table[];
  readonly verdicts: readonly Verdict[];
  readonly server?: string;
}

/** Where figures come from: without it they say nothing. */
export interface Machine {
  readonly node: string;
  readonly cores: number;
  /** The database server, where one took part. */
  readonly server: string | undefined;
}

/** In a line. */
export function describe({ node, cores, server }: Machine): string {
  const processors = `${cores} processor${cores === 1 ? "" : "s"}`;
  return [`Node.js ${node.replace(/^v/, "")}`, processors, ...(server === undefined ? [] : [server])].join(", ");
}
