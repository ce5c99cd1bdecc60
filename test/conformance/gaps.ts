import { inspect } from "node:util";
import { expect, test } from "vitest";
import { rejection } from "../failover/support/outcome.ts";

/** What is asked of every adapter, by name. */
type CheckName =
  | "reads"
  | "shared-reads"
  | "raw-reads"
  | "streamed-reads"
  | "locking-reads"
  | "writes"
  | "raw-writes"
  | "read-your-writes"
  | "contexts"
  | "transaction"
  | "nested"
  | "error-in-transaction"
  | "error-in-nested"
  | "swallowed-error"
  | "constraint-at-commit"
  | "migrations"
  | "catalogue-reads"
  | "introspection"
  | "types"
  | "stream"
  | "stream-break"
  | "stream-loss"
  | "cancel"
  | "timeout"
  | "exhaustion"
  | "killed-while-idle"
  | "killed-in-read"
  | "killed-in-write"
  | "killed-in-transaction"
  | "killed-in-commit"
  | "freeze"
  | "promotion"
  | "mirror-loss"
  | "shared-pool"
  | "own-pool";

/** What an adapter cannot do, and how that shows: the error that its check must end with. */
interface Gap {
  readonly why: string;
  /** Matches the error, its causes included. */
  readonly fails: RegExp;
  /** Only with the commit ledger, or only without. Default: either way. */
  readonly exactlyOnce?: boolean;
}

export type Gaps = Readonly<Partial<Record<CheckName, Gap>>>;

/** Makes a test of a check; where a gap was declared, a test that the check still fails in just that way. */
export type Check = (name: CheckName, claim: string, body: () => Promise<void>) => void;

export function checkWith(gaps: Gaps, exactlyOnce: boolean): Check {
  return (name, claim, body) => {
    const gap = gaps[name];
    if (gap === undefined || (gap.exactlyOnce ?? exactlyOnce) !== exactlyOnce) {
      test(claim, body);
      return;
    }
    test(`a gap, since ${gap.why}: ${claim}`, async () => {
      const error = await rejection(body());
      expect(inspect(error, { depth: 6, colors: false })).toMatch(gap.fails);
    });
  };
}
