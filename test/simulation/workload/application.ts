import type { CallOptions } from "@mirrorpool/core";
import { CommitUnknownError, MirrorpoolError, NotMirroredError } from "@mirrorpool/core";
import type { Failure, Fate } from "../history.ts";
import type { Stage } from "../stage.ts";
import type { Entry, Server } from "../world/server.ts";

/** What the application says of a call before it makes it. */
export interface CallPlan {
  readonly kind: "read" | "read-eventual" | "write" | "transaction" | "control";
  readonly text: string;
  /** Undefined where the call has no end of its own. */
  readonly limitMs: number | undefined;
  readonly abortAfterMs?: number | undefined;
  /** The transaction that a statement belongs to. */
  readonly parent?: number;
  /** Written by the same transaction before: its reads have to see them. */
  readonly ownTokens?: readonly string[];
  readonly mustSucceed?: boolean;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** The application's side: makes calls, and notes what it was told. */
export class Application {
  readonly stage: Stage;
  #ids = 0;
  #tokens = 0;
  /** All that this process was told was committed. */
  readonly #acknowledged: string[] = [];

  constructor(stage: Stage) {
    this.stage = stage;
  }

  newToken(): string {
    this.#tokens += 1;
    return `t${this.#tokens}`;
  }

  newHolder(): string {
    this.#ids += 1;
    return `h${this.#ids}`;
  }

  /** Makes one call and records its begin and end. Never rejects. */
  async call<T>(plan: CallPlan, make: (call: number, options: CallOptions) => Promise<T>): Promise<Outcome<T>> {
    const { clock, history } = this.stage;
    this.#ids += 1;
    const call = this.#ids;
    const { kind, text, limitMs, parent, ownTokens = [], mustSucceed = false } = plan;
    const deadline = limitMs === undefined ? undefined : clock.now + limitMs;
    history.add({ type: "call", call, parent, kind, text, deadline, mustSucceed });
    const expected = kind === "read" ? [...this.#expected(), ...ownTokens] : [];
    const controller = new AbortController();
    const disarm =
      plan.abortAfterMs === undefined
        ? () => {}
        : clock.schedule(plan.abortAfterMs, "timer", () => {
            history.add({ type: "abort", call });
            controller.abort(new Error("the caller has gone"));
          });
    try {
      const value = await make(call, plan.abortAfterMs === undefined ? {} : { signal: controller.signal });
      const reads = tokensOf(value);
      const lost = this.#lost(expected);
      const mustSee = expected.filter((token) => ownTokens.includes(token) || !lost.has(token));
      history.add({ type: "end", call, ...(reads === undefined ? {} : { reads, mustSee }) });
      return { ok: true, value };
    } catch (error) {
      history.add({ type: "end", call, error: toFailure(error) });
      return { ok: false, error };
    } finally {
      disarm();
    }
  }

  /** What a read that begins now has to see: all that was acknowledged, and that the pool's primary has. */
  #expected(): string[] {
    const { pool, world } = this.stage;
    const { primary } = pool.topology();
    const has = primary === undefined ? undefined : new Set(world.serverAt(primary).log.map(({ token }) => token));
    return this.#acknowledged.filter((token) => has === undefined || has.has(token));
  }

  /** Those that an asynchronous failover has lost: the newest primary, or one of several, does not have them. */
  #lost(tokens: readonly string[]): ReadonlySet<string> {
    if (tokens.length === 0) return new Set();
    const { claimants } = this.stage.world;
    if (claimants.length === 0) return new Set(tokens);
    const logs = claimants.map(({ log }) => new Set(log.map(({ token }) => token)));
    return new Set(tokens.filter((token) => !logs.every((log) => log.has(token))));
  }

  /** Notes what the application may conclude of its writes. */
  claim(unit: string, tokens: readonly string[], fate: Fate, call: number): void {
    const { history, world } = this.stage;
    const { clock } = world;
    const isIn = (log: readonly Entry[]): boolean => {
      const held = new Set(log.map(({ token }) => token));
      return tokens.every((token) => held.has(token));
    };
    const has = (server: Server): boolean => {
      const { log, thrownAway } = server;
      const isHeard = thrownAway !== undefined && clock.now - thrownAway.at <= world.path(server).longestDelayMs;
      return isIn(log) || (isHeard && isIn(thrownAway.log));
    };
    const copies = world.members.filter(has).length;
    if (tokens.length > 0) history.add({ type: "claim", unit, tokens, fate, call, copies });
    if (fate === "committed") this.#acknowledged.push(...tokens);
  }
}

/** What an outcome says of the writes in it: only one error leaves that open, and one says that they are committed. */
export function fateOf(outcome: Outcome<unknown>): Fate {
  if (outcome.ok || outcome.error instanceof NotMirroredError) return "committed";
  return outcome.error instanceof CommitUnknownError ? "unknown" : "not-committed";
}

function tokensOf(value: unknown): readonly string[] | undefined {
  const { rows } = (value ?? {}) as { rows?: readonly { tokens?: readonly string[] }[] }; // results of READ have them
  return Array.isArray(rows) ? rows[0]?.tokens : undefined;
}

function toFailure(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : { name: typeof error, message: String(error) };
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  return { name, code, message, isRetryable: error instanceof MirrorpoolError && error.retryable };
}
