import type { Recorded } from "../history.ts";
import type { Check, Of, Violation } from "./check.ts";
import { all, tokenOf } from "./check.ts";
import { hasLedger, isLinear } from "./lineage.ts";

/**
 * What the application was told is true: an acknowledged write had been committed by a server that it was sent to, and one
 * that is said to have had no effect never has one, on no server. With the ledger a superseded server may have it all the
 * same, on its own timeline; the last primary has not.
 */
export const claimsAreTrue: Check = (happenings) => {
  const violations: Violation[] = [];
  const truth = new Truth(happenings);
  for (const claim of all(happenings, "claim")) {
    for (const token of claim.tokens) {
      const what = truth.objection(claim, token);
      if (what !== undefined) violations.push({ rule: "claims are true", at: claim.at, what });
    }
  }
  return violations;
};

class Truth {
  readonly #applied = new Map<string, Of<"applied">[]>();
  /** Instances of the servers that each token was sent to. */
  readonly #sentTo = new Map<string, string[]>();
  readonly #kept: ReadonlySet<string>;
  readonly #hasLedger: boolean;
  readonly #isLinear: boolean;

  constructor(happenings: readonly Recorded[]) {
    for (const each of all(happenings, "applied")) push(this.#applied, each.token, each);
    for (const { text, instance } of all(happenings, "sent")) push(this.#sentTo, tokenOf(text) ?? "", instance);
    this.#kept = new Set(all(happenings, "final")[0]?.tokens);
    this.#hasLedger = hasLedger(happenings);
    this.#isLinear = isLinear(happenings);
  }

  objection({ fate, call, step }: Of<"claim">, token: string): string | undefined {
    const applied = this.#applied.get(token) ?? [];
    if (fate === "committed") {
      const before = applied.filter((each) => each.step <= step);
      if (before.length === 0) return `call ${call} was told of ${token}, which nobody had committed`;
      const sentTo = this.#sentTo.get(token) ?? [];
      if (before.some(({ server }) => sentTo.some((instance) => instance.startsWith(`${server}.`)))) return undefined;
      return `${token} was sent to ${sentTo.join()}, and ${before.map(({ server }) => server).join()} has it`;
    }
    if (fate === "unknown") return undefined;
    const isWrong = this.#hasLedger ? this.#isLinear && this.#kept.has(token) : applied.length > 0;
    const where = applied.map(({ server, at }) => `${server} has it at ${at}`).join();
    return isWrong ? `call ${call} was told that ${token} had no effect, and ${where}` : undefined;
  }
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
