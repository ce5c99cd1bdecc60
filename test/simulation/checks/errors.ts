import type { Failure } from "../history.ts";
import type { Check, Of, Violation } from "./check.ts";
import { all, tokenOf } from "./check.ts";
import { isMirrored } from "./lineage.ts";

/** Errors are only of the kinds that the promise table allows for what was in flight, and never come without their reason. */
export const errorsAreAllowed: Check = (happenings) => {
  const violations: Violation[] = [];
  const rule = "errors are allowed";
  const facts = new Facts(happenings);
  for (const { at, call: id, error } of all(happenings, "end")) {
    const call = facts.calls.get(id);
    if (error === undefined || call === undefined || call.kind === "control") continue;
    const what = facts.objection(call, error, at);
    if (what !== undefined)
      violations.push({ rule, at, what: `call ${id} (${call.text}): ${error.name} ${error.code}: ${what}` });
  }
  for (const claim of all(happenings, "claim")) {
    // what was answered may be lost with its primary before a mirror has it
    if (claim.fate !== "unknown" || isMirrored(happenings) || facts.hasUnanswered(claim)) continue;
    violations.push({ rule, at: claim.at, what: `call ${claim.call}: nothing was in flight of unknown outcome` });
  }
  return violations;
};

/** The server answered, but not with what became of the statement. */
const unknownCodes: ReadonlySet<string> = new Set(["57P01"]);

class Facts {
  readonly calls: ReadonlyMap<number, Of<"call">>;
  readonly #aborted: ReadonlySet<number>;
  readonly #closedAt: number;
  readonly #sent: readonly Of<"sent">[];
  readonly #answers: ReadonlyMap<number, Of<"answered">>;
  readonly #maySplit: boolean;
  /** When the pool gave up waiting for the answer to a write. */
  readonly #givenUp: readonly number[];
  readonly #failoverMs: number;
  readonly #acquireMs: number;
  readonly #refusesPassword: boolean;
  readonly #isMirrored: boolean;
  readonly #mirrorMs: number;

  constructor(happenings: Parameters<Check>[0]) {
    const calls = all(happenings, "call");
    this.calls = new Map(calls.map((call) => [call.call, call]));
    this.#aborted = new Set(all(happenings, "abort").map(({ call }) => call));
    this.#closedAt = calls.find(({ text }) => text === "close")?.at ?? Number.POSITIVE_INFINITY;
    this.#sent = all(happenings, "sent");
    this.#answers = new Map(all(happenings, "answered").map((answer) => [answer.send, answer]));
    const observed = all(happenings, "observed").map(({ observation }) => observation);
    const claimants = new Set(observed.filter(({ role }) => role === "primary").map(({ instance }) => instance));
    this.#maySplit = claimants.size > 1 || new Set(observed.map(({ systemId }) => systemId)).size > 1;
    const events = all(happenings, "event").filter(({ name }) => name === "commit-unknown");
    this.#givenUp = events.map((event) => event.step);
    const timeouts = all(happenings, "setting")[0]?.setting.pool.timeouts;
    this.#failoverMs = timeouts?.failoverMs ?? 0;
    this.#acquireMs = timeouts?.acquireMs ?? 0;
    this.#isMirrored = isMirrored(happenings);
    this.#mirrorMs = timeouts?.mirrorMs ?? 0;
    this.#refusesPassword = all(happenings, "fault").some(({ what }) => what.includes("28P01"));
  }

  /** Why the error must not be; undefined where it may. */
  objection(call: Of<"call">, { name, code }: Failure, at: number): string | undefined {
    const waitedMs = at - call.at;
    const isPatient = (limitMs: number): boolean => at >= (call.deadline ?? at) || waitedMs >= limitMs;
    const isRead = call.kind.startsWith("read") && !call.text.startsWith("LOCKREAD");
    if (name === "SimulatedError") return this.#objectToCode(call, code);
    if (name === "Error") return call.text.includes("throw") ? undefined : "an error of no kind";
    switch (code) {
      case "COMMIT_UNKNOWN":
        return isRead ? "a read has no outcome" : undefined;
      case "DEADLINE":
        return at >= (call.deadline ?? at) ? undefined : "too early";
      case "ABORTED":
        return this.#aborted.has(call.call) || this.#aborted.has(call.parent ?? 0) ? undefined : "nobody has aborted";
      case "POOL_CLOSED":
        return at >= this.#closedAt ? undefined : "the pool was open";
      case "NO_PRIMARY":
      case "NO_NODE":
        return isPatient(this.#failoverMs) || this.#refusesPassword ? undefined : "too early";
      case "ACQUIRE_TIMEOUT":
        return isPatient(this.#acquireMs) ? undefined : "too early";
      case "SPLIT_BRAIN":
        return this.#maySplit ? undefined : "only one node claims to be primary";
      case "TRANSACTION_LOST":
      case "TRANSACTION_ABORTED":
      case "REPLAY_MISMATCH":
        // a single write may be lost with its primary before a mirror has it
        return this.#isInTransaction(call) || (this.#isMirrored && !isRead) ? undefined : "it was in no transaction";
      case "NOT_MIRRORED":
        if (!this.#isMirrored || isRead) return "nobody waits for a mirror";
        return isPatient(this.#mirrorMs) || this.#aborted.has(call.call) || at >= this.#closedAt
          ? undefined
          : "too early";
      case "QUEUE_FULL":
      case "READ_LOST":
      case "SESSION_LOST":
      case "SESSION_RELEASED":
        return undefined;
      default:
        return "an error that the promise does not know";
    }
  }

  /** Of the database's own errors only those that the statement itself has brought about. */
  #objectToCode({ text, call }: Of<"call">, code: string | undefined): string | undefined {
    switch (code) {
      case "23505":
        return /fail/i.test(text) ? undefined : "it violates nothing";
      case "40P01":
        return /deadlock/i.test(text) ? undefined : "it has no deadlock";
      case "25P02":
        return this.#sent.some((sent) => sent.call === call && sent.inTransaction) || text.includes(" ")
          ? undefined
          : "it was in no transaction";
      case "25006":
        return this.#holderOf(call) === undefined && !text.includes("write")
          ? "it could have run on the primary"
          : undefined;
      case "28P01":
        return this.#refusesPassword ? undefined : "no server refuses a login";
      default:
        return "the pool should have dealt with it";
    }
  }

  #holderOf(call: number): string | undefined {
    return this.#sent.find((sent) => sent.call === call)?.holder;
  }

  #isInTransaction(call: Of<"call">): boolean {
    return call.kind === "transaction" || call.text === "COMMIT" || this.#wasHeld(call);
  }

  /** A statement of a session or a transaction may never have been sent; a call of `pool.query` always names no holder. */
  #wasHeld({ call }: Of<"call">): boolean {
    const sent = this.#sent.find((each) => each.call === call);
    return sent === undefined || sent.holder !== undefined;
  }

  /** Something of the claim's own was sent that has an effect when it arrives, and was not answered when the pool gave up. */
  hasUnanswered({ call, unit, step }: Of<"claim">): boolean {
    const gaveUpAt = this.#givenUp.findLast((each) => each <= step) ?? step;
    return this.#sent.some((sent) => {
      const isUnits = sent.holder === unit || sent.holder?.startsWith(`${unit}.`) === true;
      const isOwn = sent.call === call || (isUnits && sent.step >= (this.calls.get(call)?.step ?? 0));
      const isEffective =
        /^(COMMIT|TOKENCOMMIT\b)/.test(sent.text) || (tokenOf(sent.text) !== undefined && !sent.inTransaction);
      if (!isOwn || !isEffective) return false;
      const answer = this.#answers.get(sent.send);
      return answer === undefined || answer.step >= gaveUpAt || unknownCodes.has(answer.code ?? "");
    });
  }
}
