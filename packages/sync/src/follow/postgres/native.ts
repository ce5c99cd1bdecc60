import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "../../dialects.ts";
import { JobError } from "../../errors.ts";
import { isPassing } from "../../faults.ts";
import type { Pair } from "../../pair-tables.ts";
import { formatLsn, type Lsn, parseLsn } from "../../postgres/pgoutput.ts";
import { quoteName, quoteText } from "../../postgres/quote.ts";
import { dropPublication, dropSlot, openReplication, settlePublication } from "../../postgres/slot.ts";
import { ask, PATIENT } from "../../querier.ts";
import { copySequences } from "../../sequences.ts";
import type { FollowEvent, Following } from "../follow.ts";
import { type FollowStats, NO_COUNTS } from "../stats.ts";
import { tellEvent } from "../tell-event.ts";

export interface NativeSetting {
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  readonly bridge: Bridge;
  readonly pairs: readonly Pair[];
  /** Of subscription, slot and publication. */
  readonly name: string;
  readonly copies: boolean;
  /** How the target's server reaches the source. Holds a password. */
  readonly connection: () => string | Promise<string>;
  readonly onEvent: ((event: FollowEvent) => void) | undefined;
  readonly signal: AbortSignal;
}

const LOOK_MS = 250;
/** Looks in a row that found no slot, before it counts as lost: a failover may be under way. */
const MISSES = 20;

/** The server's own replication: set up and watched, and taken down again. */
export class NativeFollower implements Following {
  readonly ended: Promise<void>;
  readonly #setting: NativeSetting;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #state: FollowStats["state"] = "starting";
  #confirmed: Lsn | undefined;
  #sourceEnd: Lsn = 0n;
  #appliedAt: number | undefined;
  #errors = 0;

  constructor(setting: NativeSetting) {
    this.#setting = setting;
    this.#signal = AbortSignal.any([setting.signal, this.#stop.signal]);
    this.ended = this.#run();
    this.ended.catch(() => {}); // whoever does not look at it is told by stats()
  }

  stats(): FollowStats {
    const confirmed = this.#confirmed;
    const isStreaming = this.#state === "streaming" && confirmed !== undefined;
    const lag = confirmed !== undefined && this.#sourceEnd > confirmed ? Number(this.#sourceEnd - confirmed) : 0;
    const age = this.#appliedAt === undefined ? 0 : Math.max(0, Date.now() - this.#appliedAt);
    return Object.freeze({
      state: this.#state,
      position: confirmed === undefined ? undefined : formatLsn(confirmed),
      lagBytes: isStreaming ? lag : undefined,
      lagMs: isStreaming ? (lag === 0 ? 0 : age) : undefined,
      // the server counts nothing else
      ...NO_COUNTS,
      interruptions: this.#errors,
    });
  }

  async #run(): Promise<void> {
    try {
      await this.#begin();
      await this.#watch();
    } catch (error) {
      if (this.#signal.aborted) {
        this.#state = "stopped";
        if (this.#stop.signal.aborted) return;
        throw this.#signal.reason;
      }
      this.#state = "failed";
      throw error;
    }
  }

  async #begin(): Promise<void> {
    const { from, to, pairs, name, copies, connection } = this.#setting;
    const tables = pairs.map(({ source }) => source);
    await from.transaction((on) => settlePublication(on, name, tables), { signal: this.#signal });
    if ((await this.#subscription()) !== undefined) {
      await to.query(`ALTER SUBSCRIPTION ${quoteName(name)} ENABLE`, undefined, { signal: this.#signal });
      return;
    }
    const text = `CREATE SUBSCRIPTION ${quoteName(name)} CONNECTION ${quoteText(await connection())}
      PUBLICATION ${quoteName(name)} WITH (copy_data = ${copies})`;
    await to.query(text, undefined, { ...PATIENT, signal: this.#signal });
  }

  async #subscription(): Promise<{ readonly enabled: string } | undefined> {
    const text = "SELECT subenabled::text AS enabled FROM pg_subscription WHERE subname = $1";
    const [row] = await this.#setting.to.transaction((on) => ask<{ enabled: string }>(on, text, [this.#setting.name]), {
      readOnly: true,
    });
    return row;
  }

  async #watch(): Promise<never> {
    let misses = 0;
    for (;;) {
      try {
        misses = (await this.#look()) ? 0 : misses + 1;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!isPassing(error)) throw error;
        this.#state = "interrupted";
      }
      if (misses >= MISSES) {
        const message = `the source has no slot ${this.#setting.name} any more: it went with the former primary. remove() this one, and follow again with begin: "compare"`;
        throw new JobError("SLOT_LOST", message);
      }
      await sleep(LOOK_MS, undefined, { signal: this.#signal });
    }
  }

  /** False where the source has no slot for it. */
  async #look(): Promise<boolean> {
    const { from, to, name } = this.#setting;
    const options = { readOnly: true, signal: this.#signal } as const;
    const [slot] = await from.transaction(
      (on) =>
        ask<{ confirmed: string | null; now: string }>(
          on,
          `SELECT (SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1) AS confirmed,
             pg_current_wal_flush_lsn()::text AS now`,
          [name],
        ),
      options,
    );
    const [target] = await to.transaction(
      (on) =>
        ask<{ copying: string; errors: string; applied: string | null }>(
          on,
          `SELECT (SELECT count(*) FROM pg_subscription_rel AS r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r')::text AS copying,
             coalesce((to_jsonb(e) ->> 'apply_error_count')::int8 + (to_jsonb(e) ->> 'sync_error_count')::int8, 0)::text AS errors,
             (SELECT max(extract(epoch FROM w.latest_end_time))::text FROM pg_stat_subscription AS w WHERE w.subid = s.oid) AS applied
           FROM pg_subscription AS s LEFT JOIN pg_stat_subscription_stats AS e ON e.subid = s.oid WHERE s.subname = $1`,
          [name],
        ),
      options,
    );
    this.#sourceEnd = parseLsn(slot?.now ?? "0/0");
    this.#confirmed = slot?.confirmed == null ? undefined : parseLsn(slot.confirmed);
    this.#appliedAt = target?.applied == null ? undefined : Number(target.applied) * 1000;
    this.#note(Number(target?.errors ?? 0));
    const state = target?.copying === "0" ? "streaming" : "copying";
    if (state === "streaming" && this.#state !== "streaming" && this.#confirmed !== undefined) {
      const node = from.topology().primary ?? "";
      this.#tell({ type: "streaming", node, position: formatLsn(this.#confirmed) });
    }
    this.#state = this.#confirmed === undefined ? "interrupted" : state;
    return this.#confirmed !== undefined;
  }

  #note(errors: number): void {
    if (errors <= this.#errors) return;
    this.#errors = errors;
    const reason = "the target's server could not apply what the source has sent, and tries again: see its log";
    this.#tell({ type: "interrupted", reason });
  }

  #tell(event: FollowEvent): void {
    tellEvent(this.#setting.onEvent, event);
  }

  async caughtUp(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    const given = options.timeoutMs === undefined ? [] : [AbortSignal.timeout(options.timeoutMs)];
    const signal = AbortSignal.any([...given, ...(options.signal ? [options.signal] : [])]);
    const [row] = await this.#setting.from.transaction(
      (on) => ask<{ lsn: string }>(on, "SELECT pg_current_wal_flush_lsn()::text AS lsn", [], signal),
      { readOnly: true, signal },
    );
    const goal = parseLsn(row?.lsn ?? "0/0");
    for (;;) {
      if (this.#state === "stopped" || this.#state === "failed") {
        await this.ended;
        throw new JobError("FOLLOW_FAILED", "following was stopped before it had caught up");
      }
      if (this.#state === "streaming" && this.#confirmed !== undefined && this.#confirmed >= goal) return;
      await sleep(LOOK_MS, undefined, { signal });
    }
  }

  setSequences(): Promise<number> {
    const { from, to, bridge, pairs } = this.#setting;
    return copySequences({ bridge, from, to }, pairs);
  }

  async stop(): Promise<void> {
    const isRunning = this.#state !== "stopped";
    this.#stop.abort();
    await this.ended.catch(() => {});
    if (!isRunning || (await this.#subscription()) === undefined) return;
    await this.#setting.to.query(`ALTER SUBSCRIPTION ${quoteName(this.#setting.name)} DISABLE`);
  }

  async remove(): Promise<void> {
    await this.stop();
    const { from, to, name } = this.#setting;
    if ((await this.#subscription()) !== undefined) {
      // the slot is dropped by ourselves, on whatever node is the primary now
      await to.query(`ALTER SUBSCRIPTION ${quoteName(name)} SET (slot_name = NONE)`);
      await to.query(`DROP SUBSCRIPTION ${quoteName(name)}`);
    }
    const connection = await openReplication(from, AbortSignal.timeout(30_000));
    try {
      await dropSlot(connection, name);
    } finally {
      connection.release();
    }
    await dropPublication(from, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
