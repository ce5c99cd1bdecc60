import { setTimeout as sleep } from "node:timers/promises";
import type { ReservedConnection, Transaction } from "@mirrorpool/core";
import { runCopy } from "../copy/copy.ts";
import type { Bridge } from "../dialects.ts";
import { type Conflict, JobError } from "../errors.ts";
import { codeOf, isPassing, ViewLost } from "../faults.ts";
import type { Pair } from "../pair-tables.ts";
import { WRITER_SETTINGS } from "../postgres/dialect.ts";
import { formatLsn, type Lsn, type Message, parseLsn } from "../postgres/pgoutput.ts";
import { dropPublication, dropSlot, openReplication, settlePublication } from "../postgres/slot.ts";
import { forgetJob, loadPosition, movePosition } from "../postgres/state.ts";
import { ReplicationStream } from "../postgres/stream.ts";
import { ask, PATIENT } from "../querier.ts";
import { copySequences } from "../sequences.ts";
import type { FollowEvent, Following, FollowOptions } from "./follow.ts";
import { Inbox } from "./inbox.ts";
import { formatPosition, type Position, parsePosition } from "./position.ts";
import { Relations } from "./relations.ts";
import { reseed } from "./reseed.ts";
import { examine, openSlotView, statusInterval } from "./slot-view.ts";
import { type Batch, writeBatch } from "./write-batch.ts";

/** How far it is, and what it has done. Plain data. */
export interface FollowStats {
  readonly state: "starting" | "copying" | "reseeding" | "streaming" | "interrupted" | "stopped" | "failed";
  /** What the target has everything of. */
  readonly position: string | undefined;
  /** From there to where the source is, as far as it has told. */
  readonly lagBytes: number | undefined;
  /** Age of the newest transaction that was written, while there are others to be written; else 0. */
  readonly lagMs: number | undefined;
  readonly transactions: number;
  readonly changes: number;
  readonly conflicts: number;
  readonly reseeds: number;
  readonly interruptions: number;
}

export interface FollowerSetting {
  readonly options: FollowOptions;
  readonly numbers: Readonly<
    Record<"connections" | "batchChanges" | "maxBatchBytes" | "chunkBytes" | "attempts", number>
  >;
  readonly bridge: Bridge;
  readonly job: string;
  readonly begin: "copy" | "replace" | "compare";
  readonly onConflict: "stop" | "source-wins";
  readonly pairs: readonly Pair[];
  readonly levels: ReadonlyMap<string, number>;
  /** Triggers and foreign keys of the target are left alone. */
  readonly isReplica: boolean;
  /** Of slot and publication. */
  readonly name: string;
  readonly signal: AbortSignal;
}

const REST_MS = 200;
/** An idle source is told now and then how far the target is. */
const IDLE_NOTE_MS = 10_000;
const CAUGHT_UP_MS = 20;

/** Follows until it is stopped or cannot go on; whatever is lost on the way is connected anew. */
export class Follower implements Following {
  readonly ended: Promise<void>;
  readonly #setting: FollowerSetting;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #state: FollowStats["state"] = "starting";
  #position: Position | undefined;
  /** As it is kept on the target. */
  #kept: string | null = null;
  /** Everything of the source up to here is on the target, also what was not for it. */
  #through: Lsn = 0n;
  #sourceEnd: Lsn = 0n;
  #lastCommittedAt: number | undefined;
  #counts = { transactions: 0, changes: 0, conflicts: 0, reseeds: 0, interruptions: 0 };
  #stream: ReplicationStream | undefined;

  constructor(setting: FollowerSetting) {
    this.#setting = setting;
    this.#signal = AbortSignal.any([setting.signal, this.#stop.signal]);
    this.ended = this.#run();
    this.ended.catch(() => {}); // whoever does not look at it is told by stats()
  }

  stats(): FollowStats {
    const isBehind = this.#through < this.#sourceEnd;
    const lagBytes = this.#state === "streaming" ? (isBehind ? Number(this.#sourceEnd - this.#through) : 0) : undefined;
    const age = this.#lastCommittedAt === undefined ? undefined : Math.max(0, Date.now() - this.#lastCommittedAt);
    return Object.freeze({
      state: this.#state,
      position: this.#position && formatLsn(this.#position.lsn),
      lagBytes,
      lagMs: this.#state !== "streaming" ? undefined : isBehind ? age : 0,
      ...this.#counts,
    });
  }

  async caughtUp(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    const { from } = this.#setting.options;
    const given = options.timeoutMs === undefined ? [] : [AbortSignal.timeout(options.timeoutMs)];
    const signal = AbortSignal.any([...given, ...(options.signal ? [options.signal] : [])]);
    const [row] = await from.transaction(
      (on) => ask<{ lsn: string }>(on, "SELECT pg_current_wal_flush_lsn()::text AS lsn", [], signal),
      { ...PATIENT, readOnly: true, signal },
    );
    const goal = parseLsn(row?.lsn ?? "0/0");
    const epoch = from.topology().epoch;
    for (;;) {
      if (this.#state === "stopped" || this.#state === "failed") {
        await this.ended;
        throw new JobError("FOLLOW_FAILED", "following was stopped before it had caught up");
      }
      // positions of a former primary say nothing of the present one
      if (from.topology().epoch !== epoch) return this.caughtUp({ signal });
      if (this.#state === "streaming" && this.#through >= goal) return;
      this.#stream?.askKeepalive();
      await sleep(CAUGHT_UP_MS, undefined, { signal });
    }
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
    const { options, job, name } = this.#setting;
    const connection = await openReplication(options.from, AbortSignal.timeout(30_000));
    try {
      await dropSlot(connection, name);
    } finally {
      connection.release();
    }
    await dropPublication(options.from, name);
    await options.to.transaction(async (on) => {
      await forgetJob(on, job);
      await forgetJob(on, copyJob(job));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #tell(event: FollowEvent): void {
    try {
      this.#setting.options.onEvent?.(event);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      process.emitWarning(`onEvent has thrown: ${why}`, "MirrorpoolWarning");
    }
  }

  async #run(): Promise<void> {
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
        const isOver = failures >= this.#setting.numbers.attempts;
        if (!mayPass(error) || isOver) {
          this.#state = "failed";
          throw isSlotBusy(error) ? this.#followedTwice(error) : error;
        }
        this.#state = "interrupted";
        this.#counts.interruptions += 1;
        this.#tell({ type: "interrupted", reason: error instanceof Error ? error.message : String(error) });
        await sleep(REST_MS).catch(() => {});
      }
    }
  }

  #followedTwice(cause: unknown): JobError {
    const message = `the job ${this.#setting.job} is being followed by another process, which has the source's slot`;
    return new JobError("JOB_CONFLICT", message, { cause, resumable: true });
  }

  /** From connecting to the loss of the connection. */
  async #follow(): Promise<never> {
    const { options, job, name, pairs } = this.#setting;
    const signal = this.#signal;
    const kept = await loadPosition(options.to, job);
    this.#kept = kept ?? null;
    const connection = await openReplication(options.from, signal);
    try {
      await this.#settlePublication();
      this.#position = kept === undefined ? undefined : parsePosition(kept);
      if (this.#position === undefined) {
        if (this.#setting.begin === "compare") await this.#reseed(connection, "it begins with a comparison");
        else await this.#copy();
      } else await this.#check(connection, this.#position);
      const position = this.#position as Position; // one of the three has set it
      this.#through = position.lsn;
      this.#received = 0;
      this.#written = 0;
      const inbox = new Inbox(
        this.#setting.numbers.maxBatchBytes,
        () => this.#stream?.pause(),
        () => this.#stream?.resume(),
      );
      const statusMs = await statusInterval(connection);
      const stream = new ReplicationStream(
        connection,
        { slot: name, publication: name, from: position.lsn, statusMs },
        {
          onMessage: (message, bytes) => {
            if (message.type === "begin" && message.commitLsn > this.#sourceEnd) this.#sourceEnd = message.commitLsn;
            this.#received += 1;
            inbox.put(message, bytes);
          },
          onKeepalive: (end) => {
            if (end > this.#sourceEnd) this.#sourceEnd = end;
            if (this.#received === this.#written && end > this.#through) this.#through = end;
          },
        },
      );
      this.#stream = stream;
      const lost = (): Error => Object.assign(new Error("the stream has ended"), { code: "57P01" });
      stream.ended.then(
        () => inbox.end(lost()),
        (error: unknown) => inbox.end(error),
      );
      const onAbort = (): void => inbox.end(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#state = "streaming";
      this.#tell({ type: "streaming", node: connection.node, position: formatLsn(position.lsn) });
      const relations = new Relations(options.from, pairs);
      try {
        for (;;) await this.#writeNext(inbox, relations, stream);
      } finally {
        signal.removeEventListener("abort", onAbort);
        stream.close();
        this.#stream = undefined;
      }
    } finally {
      connection.release();
    }
  }

  async #settlePublication(): Promise<void> {
    const { options, name, pairs } = this.#setting;
    await options.from.transaction(
      (on) =>
        settlePublication(
          on,
          name,
          pairs.map(({ source }) => source),
        ),
      { signal: this.#signal },
    );
  }

  async #check(connection: ReservedConnection, position: Position): Promise<void> {
    const { start, timeline } = await examine(connection, this.#setting.name, position);
    if (start.type === "continue") {
      this.#position = { ...position, timeline };
    } else if (start.type === "reseed") {
      await this.#reseed(connection, start.reason);
    } else {
      const message = `the job ${this.#setting.job} follows another cluster than this one. Give it another name, or remove() it`;
      throw new JobError("JOB_CONFLICT", message);
    }
  }

  async #copy(): Promise<void> {
    const { options, numbers, bridge, job, begin, pairs, name } = this.#setting;
    this.#state = "copying";
    let position: Position | undefined;
    const { rows } = await runCopy({
      options: { ...options, tables: pairs.map((pair) => ({ schema: pair.source.schema, name: pair.source.name })) },
      numbers: { ...numbers, stallMs: 300_000 },
      bridge,
      job: copyJob(job),
      into: begin === "copy" ? "empty" : begin,
      createTables: false,
      readFrom: "primary",
      signal: this.#signal,
      isAgain: true,
      openView: async () => {
        const opened = await openSlotView(options.from, name, this.#signal);
        position = opened.position;
        return opened.view;
      },
    });
    if (position !== undefined) await this.#begin(position);
    this.#tell({ type: "copied", rows });
  }

  async #begin(position: Position): Promise<void> {
    const { options } = this.#setting;
    await options.to.transaction((on) => this.#keep(on, position), { signal: this.#signal });
    this.#position = position;
    this.#kept = formatPosition(position);
  }

  /** Notes the position in the open transaction. @throws {PositionMoved} */
  async #keep(on: Transaction, position: Position): Promise<void> {
    const { job, bridge, name } = this.#setting;
    const { state } = bridge.target;
    if (this.#kept === null) {
      await state.prepare(on);
      await state.begin(on, job, "follow", JSON.stringify({ name }));
    }
    if (await movePosition(on, job, this.#kept, formatPosition(position))) return;
    throw new PositionMoved();
  }

  async #reseed(connection: ReservedConnection, reason: string): Promise<void> {
    const { options, numbers, bridge, pairs, name } = this.#setting;
    this.#state = "reseeding";
    const { view, position } = await openSlotView(options.from, name, this.#signal);
    try {
      const settings = this.#settings();
      const work = { bridge, ...options, pairs, connections: numbers.connections, signal: this.#signal, settings };
      const rows = await reseed(work, view, (on) => this.#keep(on, position));
      this.#counts.reseeds += 1;
      if (rows !== undefined) {
        this.#position = position;
        this.#kept = formatPosition(position);
        this.#tell({ type: "reseeded", reason, rows, isWhole: true });
        return;
      }
    } finally {
      view.close();
    }
    // too much for one transaction: chunk by chunk, each of them whole
    connection.release();
    await this.#copy();
    this.#tell({ type: "reseeded", reason, rows: 0, isWhole: false });
    throw new ViewLost(undefined); // connects anew
  }

  #settings(): readonly string[] {
    return this.#setting.isReplica
      ? ["SET LOCAL session_replication_role = 'replica'"]
      : ["SET CONSTRAINTS ALL DEFERRED"];
  }

  /** Messages of this stream that came, and those of them that are written. */
  #received = 0;
  #written = 0;

  /** One transaction of the target: all that has come of whole transactions of the source, one at least. */
  async #writeNext(inbox: Inbox, relations: Relations, stream: ReplicationStream): Promise<void> {
    const first = await this.#next(inbox, stream);
    const { options, numbers, levels, isReplica, onConflict } = this.#setting;
    const position = this.#position as Position; // set before the stream was opened
    const writing = {
      batchChanges: numbers.batchChanges,
      levels,
      hasActions: !isReplica,
      onConflict,
      signal: this.#signal,
      tellConflict: (conflict: Conflict) => {
        this.#counts.conflicts += 1;
        this.#tell({ type: "conflict", conflict });
      },
    };
    const batch = await options.to.transaction(
      async (on) => {
        await on.query([...WRITER_SETTINGS, ...this.#settings()].join("; "));
        const written = await writeBatch(on, first, inbox, relations, writing);
        await this.#keep(on, { ...position, lsn: written.end ?? position.lsn });
        return written;
      },
      { ...PATIENT, signal: this.#signal },
    );
    this.#written += batch.messages;
    this.#noteWritten({ ...position, lsn: batch.end ?? position.lsn }, batch, stream);
  }

  #noteWritten(position: Position, { transactions, changes, committedAt }: Batch, stream: ReplicationStream): void {
    this.#position = position;
    this.#kept = formatPosition(position);
    if (position.lsn > this.#through) this.#through = position.lsn;
    if (position.lsn > this.#sourceEnd) this.#sourceEnd = position.lsn;
    this.#lastCommittedAt = committedAt ?? this.#lastCommittedAt;
    this.#counts.transactions += transactions;
    this.#counts.changes += changes;
    stream.acknowledge(position.lsn);
  }

  /** The next message. While it is waited for, the target is told now and then how far an idle source is. */
  async #next(inbox: Inbox, stream: ReplicationStream): Promise<Message> {
    if (!inbox.isEmpty) return inbox.take();
    const taking = inbox.take();
    taking.catch(() => {}); // it may be lost while an idle source is noted
    for (;;) {
      const idle = new AbortController();
      const rest = sleep(IDLE_NOTE_MS, undefined, { signal: idle.signal }).catch(() => undefined);
      try {
        const first = await Promise.race([taking, rest]);
        if (first !== undefined) return first;
      } finally {
        idle.abort();
      }
      await this.#noteIdle(stream);
    }
  }

  /** Without it the source would keep the changes of all other tables for ever. */
  async #noteIdle(stream: ReplicationStream): Promise<void> {
    const position = this.#position as Position; // set before the stream was opened
    if (this.#through <= position.lsn) return;
    const next = { ...position, lsn: this.#through };
    await this.#begin(next);
    stream.acknowledge(next.lsn);
  }
}

/** The target has lost the position in a failover, or another process has moved it: look again where it is. */
class PositionMoved extends Error {
  override readonly name = "PositionMoved";
  constructor() {
    super("the target has another position than the one that was written last");
  }
}

const STOPPED = Symbol("following was stopped");
const copyJob = (job: string): string => `${job}/copy`;

/** In use by a connection that the source has not given up yet. */
const isSlotBusy = (error: unknown): boolean => codeOf(error) === "55006";

/** Connecting anew may mend it. */
const mayPass = (error: unknown): boolean =>
  isPassing(error) || error instanceof ViewLost || error instanceof PositionMoved || isSlotBusy(error);
