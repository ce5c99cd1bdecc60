import { setTimeout as sleep } from "node:timers/promises";
import type { Transaction } from "@mirrorpool/core";
import type { Bridge } from "../dialects.ts";
import { type Conflict, JobError } from "../errors.ts";
import { ViewLost } from "../faults.ts";
import type { Pair } from "../pair-tables.ts";
import { PATIENT } from "../querier.ts";
import { copySequences } from "../sequences.ts";
import { afterFailure } from "./after-failure.ts";
import type { Applier } from "./applier.ts";
import { catchUp } from "./caught-up.ts";
import type { ChangeSource, ChangeStream } from "./change-source.ts";
import type { FollowEvent, Following, FollowOptions } from "./follow.ts";
import { KeptPosition, PositionMoved } from "./kept-position.ts";
import { copyJob, Seed } from "./seed.ts";
import { type FollowStats, NO_COUNTS, statsOf } from "./stats.ts";
import { tellEvent } from "./tell-event.ts";
import { waitForChange } from "./wait-for-change.ts";
import { type Batch, writeBatch } from "./write-batch.ts";

export interface FollowerSetting {
  readonly options: FollowOptions;
  readonly numbers: Readonly<
    Record<"connections" | "batchChanges" | "maxBatchBytes" | "chunkBytes" | "attempts", number>
  >;
  readonly bridge: Bridge;
  readonly source: ChangeSource;
  readonly applier: Applier;
  readonly job: string;
  readonly begin: "copy" | "replace" | "compare";
  readonly onConflict: "stop" | "source-wins";
  readonly pairs: readonly Pair[];
  readonly levels: ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
}

const REST_MS = 200;

/** Follows until it is stopped or cannot go on; whatever is lost on the way is connected anew. */
export class Follower implements Following {
  readonly ended: Promise<void>;
  readonly #setting: FollowerSetting;
  readonly #kept: KeptPosition;
  readonly #seed: Seed;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #state: FollowStats["state"] = "starting";
  /** What the target has everything of. */
  #position: string | undefined;
  #lastCommittedAt: number | undefined;
  #counts = { ...NO_COUNTS } as { -readonly [K in keyof typeof NO_COUNTS]: number };
  #stream: ChangeStream | undefined;

  constructor(setting: FollowerSetting) {
    this.#setting = setting;
    const { options, bridge, job } = setting;
    this.#kept = new KeptPosition(options.to, bridge.target.state, job);
    this.#signal = AbortSignal.any([setting.signal, this.#stop.signal]);
    this.#seed = new Seed({
      ...setting,
      kept: this.#kept,
      signal: this.#signal,
      onState: (state) => {
        this.#state = state;
      },
      onReseed: () => {
        this.#counts.reseeds += 1;
      },
      tell: (event) => this.#tell(event),
    });
    this.ended = this.#run();
    this.ended.catch(() => {}); // whoever does not look at it is told by stats()
  }

  stats(): FollowStats {
    const { source } = this.#setting;
    const through = this.#stream?.through ?? this.#position;
    const age = this.#lastCommittedAt === undefined ? undefined : Math.max(0, Date.now() - this.#lastCommittedAt);
    return statsOf(
      this.#state,
      this.#position === undefined ? undefined : source.show(this.#position),
      through === undefined ? undefined : source.lag(through),
      age,
      this.#counts,
    );
  }

  caughtUp(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    const look = () => ({
      state: this.#state,
      through: this.#stream?.through,
      ended: this.ended,
      ask: () => this.#stream?.ask(),
    });
    return catchUp(look, this.#setting.source, this.#setting.options.from, options);
  }

  setSequences(): Promise<number> {
    const { options, bridge, pairs } = this.#setting;
    return copySequences({ bridge, from: options.from, to: options.to }, pairs);
  }

  async stop(): Promise<void> {
    this.#stop.abort(STOPPED);
    await this.ended.catch(() => {});
  }

  async remove(): Promise<void> {
    await this.stop();
    const { options, job, source, bridge } = this.#setting;
    await source.forget(AbortSignal.timeout(REMOVE_MS));
    const { state } = bridge.target;
    await options.to.transaction(async (on) => {
      await state.forget(on, job);
      await state.forget(on, copyJob(job));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #tell(event: FollowEvent): void {
    tellEvent(this.#setting.options.onEvent, event);
  }

  async #run(): Promise<void> {
    const { source, numbers } = this.#setting;
    let failures = 0;
    for (;;) {
      const before = this.#counts.transactions;
      try {
        await this.#follow();
      } catch (error) {
        if (this.#signal.aborted) {
          this.#state = "stopped";
          if (this.#signal.reason === STOPPED) return;
          throw this.#signal.reason;
        }
        failures = this.#counts.transactions > before ? 0 : failures + 1;
        const { attempts } = numbers;
        const next = afterFailure(error, { failures, attempts, isTaken: source.isTaken(error) });
        if (next !== "again") {
          this.#state = "failed";
          throw next === "taken" ? this.#followedTwice(error) : error;
        }
        this.#state = "interrupted";
        this.#counts.interruptions += 1;
        this.#tell({ type: "interrupted", reason: error instanceof Error ? error.message : String(error) });
        await sleep(REST_MS);
      }
    }
  }

  #followedTwice(cause: unknown): JobError {
    const message = `the job ${this.#setting.job} is being followed by another process`;
    return new JobError("JOB_CONFLICT", message, { cause, resumable: true });
  }

  /** From connecting to the loss of the connection. */
  async #follow(): Promise<never> {
    const { source } = this.#setting;
    const kept = await this.#kept.load();
    const connection = await source.connect(this.#signal);
    try {
      this.#position = kept;
      if (kept === undefined) await this.#seeded(this.#seed.begin());
      else {
        const start = await connection.examine(kept);
        if (start.type === "foreign") throw this.#foreign();
        if (start.type === "reseed") await this.#seeded(this.#seed.again(start.reason));
        else this.#position = start.position;
      }
      const position = this.#position as string; // one of these has set it
      const stream = await connection.stream(position);
      this.#stream = stream;
      this.#state = "streaming";
      this.#tell({ type: "streaming", node: connection.node, position: source.show(position) });
      try {
        for (;;) await this.#writeNext(stream);
      } finally {
        stream.close();
        this.#stream = undefined;
      }
    } finally {
      connection.release();
    }
  }

  #foreign(): JobError {
    const message = `the job ${this.#setting.job} follows another cluster than this one. Give it another name, or remove() it`;
    return new JobError("JOB_CONFLICT", message);
  }

  /** From what the target was made equal to. */
  async #seeded(seeding: ReturnType<Seed["begin"]>): Promise<void> {
    const { position, isWhole } = await seeding;
    this.#position = position;
    if (!isWhole) throw new ViewLost(undefined); // connects anew
  }

  /** One transaction of the target: all that has come of whole transactions of the source, one at least. */
  async #writeNext(stream: ChangeStream): Promise<void> {
    const first = await waitForChange(stream, () => this.#noteIdle(stream));
    if (first.type === "none") return;
    const { options, numbers, levels, applier, onConflict } = this.#setting;
    const before = this.#position as string; // set before the stream was opened
    const conflicts: Conflict[] = [];
    const writing = {
      applier,
      batchChanges: numbers.batchChanges,
      levels,
      onConflict,
      signal: this.#signal,
      tellConflict: (conflict: Conflict) => void conflicts.push(conflict),
    };
    const write = async (on: Transaction): Promise<Batch> => {
      await applier.prepare(on);
      const written = await writeBatch(on, first, stream, writing);
      await this.#kept.move(on, written.end ?? before);
      return written;
    };
    let batch: Batch;
    try {
      batch = await options.to.transaction(write, { ...PATIENT, signal: this.#signal });
    } catch (error) {
      const isConflict = error instanceof JobError && error.code === "CONFLICT";
      // what was written before is lost on a target that has failed over
      if (isConflict && (await this.#kept.hasMoved())) throw new PositionMoved();
      if (isConflict) this.#noteConflicts(conflicts);
      throw error;
    }
    this.#noteConflicts(conflicts);
    this.#noteWritten(batch.end ?? before, batch, stream);
  }

  #noteConflicts(conflicts: readonly Conflict[]): void {
    for (const conflict of conflicts) {
      this.#counts.conflicts += 1;
      this.#tell({ type: "conflict", conflict });
    }
  }

  #noteWritten(position: string, { transactions, changes, committedAt }: Batch, stream: ChangeStream): void {
    this.#position = position;
    this.#kept.settle(position);
    this.#lastCommittedAt = committedAt ?? this.#lastCommittedAt;
    this.#counts.transactions += transactions;
    this.#counts.changes += changes;
    stream.noteWritten(position);
  }

  /** Without it the source would keep the changes of all other tables for ever. */
  async #noteIdle(stream: ChangeStream): Promise<void> {
    const { through } = stream;
    if (through === this.#position) return;
    await this.#kept.set(through, this.#signal);
    this.#position = through;
    stream.noteKept(through);
  }
}

const STOPPED = Symbol("following was stopped");
const REMOVE_MS = 30_000;
