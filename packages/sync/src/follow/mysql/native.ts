import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { Bridge } from "../../dialects.ts";
import { JobError } from "../../errors.ts";
import { ChangesLost } from "../../faults.ts";
import { type Flavor, readerSettings } from "../../mysql/settings.ts";
import type { Pair } from "../../pair-tables.ts";
import { onPrimary } from "../../querier.ts";
import { copySequences } from "../../sequences.ts";
import { afterFailure } from "../after-failure.ts";
import { catchUp } from "../caught-up.ts";
import type { ChangeSource } from "../change-source.ts";
import type { FollowEvent, Following } from "../follow.ts";
import type { KeptPosition } from "../kept-position.ts";
import { copyJob, Seed, type SeedSetting } from "../seed.ts";
import { type FollowStats, NO_COUNTS, statsOf } from "../stats.ts";
import { tellEvent } from "../tell-event.ts";
import { EndWatch } from "./end-watch.ts";
import { lagOf } from "./lag.ts";
import { decideStart, formatPosition, parsePosition } from "./position.ts";
import type { Replica, ReplicaStatus } from "./replica.ts";
import { positionOf, readReplicated, setOnMirrors, setReplicated } from "./replica-position.ts";
import { isHalted, isUnlimited } from "./replica-state.ts";
import { readAddress } from "./server-address.ts";
import { readLog } from "./source-log.ts";
import { TidyMirrors } from "./tidy-mirrors.ts";

export interface MysqlNativeSetting {
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  readonly bridge: Bridge;
  readonly pairs: readonly Pair[];
  readonly flavor: Flavor;
  readonly job: string;
  readonly replica: Replica;
  readonly source: ChangeSource;
  readonly kept: KeptPosition;
  readonly seed: Omit<SeedSetting, "source" | "kept" | "signal" | "onState" | "onReseed" | "tell">;
  readonly attempts: number;
  /** How the target's server reaches a node of the source. Holds a password. */
  readonly connection: (node: string) => string | Promise<string>;
  readonly onEvent: ((event: FollowEvent) => void) | undefined;
  readonly signal: AbortSignal;
}

const LOOK_MS = 250;
/** An error of applying is tried again so often: somebody may have mended it. */
const AGAIN_MS = 5000;
/** "Got fatal error from master when reading data from binary log", on MariaDB and on MySQL. */
const NOT_IN_LOG: ReadonlySet<number> = new Set([1236, 13114]);
/** Of tables: the server reads its log by itself. */
const NO_SHAPE = "";

/** The replication of MariaDB or MySQL itself, by GTIDs: set up and watched, turned to each new primary, and taken down again. */
export class MysqlNativeFollower implements Following {
  readonly ended: Promise<void>;
  readonly #setting: MysqlNativeSetting;
  readonly #isMariadb: boolean;
  readonly #seed: Seed;
  readonly #watch: EndWatch;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #state: FollowStats["state"] = "starting";
  /** What the target has since the job began. */
  #begun: string | undefined;
  /** What its server has replicated. */
  #position: string | undefined;
  #status: ReplicaStatus | undefined;
  /** Which node was told to follow which one. */
  #told: { readonly target: string; readonly source: string } | undefined;
  readonly #mirrors: TidyMirrors;
  #problem = "";
  #appliedAgainAt = 0;
  #interruptions = 0;
  #reseeds = 0;

  constructor(setting: MysqlNativeSetting) {
    this.#setting = setting;
    this.#isMariadb = setting.flavor === "mariadb";
    this.#signal = AbortSignal.any([setting.signal, this.#stop.signal]);
    this.#watch = new EndWatch(setting.from, this.#isMariadb);
    this.#mirrors = new TidyMirrors(setting.to, setting.replica);
    this.#seed = new Seed({
      ...setting.seed,
      source: { openView: (signal) => this.#openView(signal) },
      kept: setting.kept,
      signal: this.#signal,
      onState: (state) => {
        this.#state = state;
      },
      onReseed: () => {
        this.#reseeds += 1;
      },
      tell: (event) => this.#tell(event),
    });
    this.ended = this.#run();
    this.ended.catch(() => {}); // whoever does not look at it is told by stats()
  }

  stats(): FollowStats {
    const through = this.#through();
    const lag = through === undefined ? undefined : lagOf(this.#isMariadb, through, this.#watch);
    const seconds = this.#status?.lagSeconds;
    return statsOf(this.#state, this.#position, lag, seconds === undefined ? undefined : seconds * 1000, {
      // the server counts nothing else
      ...NO_COUNTS,
      reseeds: this.#reseeds,
      interruptions: this.#interruptions,
    });
  }

  #through(): string | undefined {
    const gtids = this.#position;
    return gtids === undefined ? undefined : formatPosition({ gtids, shape: NO_SHAPE, place: this.#status?.place });
  }

  caughtUp(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    const look = () => ({ state: this.#state, through: this.#through(), ended: this.ended, ask: () => {} });
    return catchUp(look, this.#setting.source, this.#setting.from, options);
  }

  setSequences(): Promise<number> {
    const { from, to, bridge, pairs } = this.#setting;
    return copySequences({ bridge, from, to }, pairs);
  }

  async #run(): Promise<void> {
    let failures = 0;
    for (;;) {
      try {
        if (this.#begun === undefined) await this.#begin();
        await this.#look();
        failures = 0;
        await sleep(LOOK_MS, undefined, { signal: this.#signal });
      } catch (error) {
        if (this.#signal.aborted) {
          this.#end("stopped");
          if (this.#stop.signal.aborted) return;
          throw this.#signal.reason;
        }
        failures += 1;
        const hasBegun = this.#begun !== undefined;
        const attempts = hasBegun ? Number.POSITIVE_INFINITY : this.#setting.attempts;
        if (afterFailure(error, { failures, attempts, isTaken: false }) !== "again") {
          this.#end("failed");
          throw error;
        }
        if (failures === 1) this.#interrupted(error instanceof Error ? error.message : String(error));
        await sleep(LOOK_MS).catch(() => {});
      }
    }
  }

  #end(state: "stopped" | "failed"): void {
    this.#state = state;
    this.#watch.stop();
  }

  /** Its position tells which tables the target has been given. */
  async #openView(signal: AbortSignal): ReturnType<ChangeSource["openView"]> {
    const { source, pairs } = this.#setting;
    const { view, position } = await source.openView(signal);
    const { gtids } = parsePosition(position);
    return { view, position: formatPosition({ gtids, shape: shapeOf(pairs), place: undefined }) };
  }

  async #begin(): Promise<void> {
    const { kept, seed, job } = this.#setting;
    const position = (await kept.load()) ?? (await this.#seed.begin()).position;
    const { gtids, shape } = parsePosition(position);
    if (shape !== shapeOf(seed.pairs)) {
      const message = `the job ${job} follows other tables, or follows without native. Give it another name, or remove() it`;
      throw new JobError("JOB_CONFLICT", message);
    }
    this.#begun = gtids;
  }

  async #look(): Promise<void> {
    const { from, to, replica } = this.#setting;
    const [target, source] = [to.topology().primary, from.topology().primary];
    const on = onPrimary(to);
    if (target === undefined || source === undefined) throw new ChangesLost("there is no primary at the moment");
    const status = await replica.status(on);
    const isTold = this.#told?.target === target && this.#told.source === source && status !== undefined;
    if (status !== undefined && isUnlimited(status)) await this.#refuseUnlimited();
    if (!isTold || isHalted(status)) {
      await this.#turn(target, source);
      return;
    }
    this.#position = await readReplicated(on, this.#isMariadb);
    this.#status = status;
    await this.#judge(status, target);
    await this.#mirrors.tidy(this.#signal);
  }

  /** Has the target's primary follow the source's, from where it is. */
  async #turn(target: string, source: string): Promise<void> {
    const { from, to, flavor, replica, connection } = this.#setting;
    this.#watch.stop();
    const begun = this.#begun as string; // it has begun
    const { nodes } = from.topology();
    const place = nodes.findIndex(({ id }) => id === source);
    const address = readAddress(await connection(source), place, nodes.length);
    const on = await to.reserve({ on: "primary", signal: this.#signal });
    try {
      await on.query(readerSettings(flavor), undefined, { signal: this.#signal });
      // what comes after this is not in its position
      await replica.stop(on, this.#signal);
      const replicated = await readReplicated(on, this.#isMariadb);
      const log = await readLog(onPrimary(from), this.#isMariadb, this.#signal);
      if (on.node !== target || from.topology().primary !== source) throw new ChangesLost("a primary has changed");
      const gtids = positionOf(this.#isMariadb, replicated, begun, log.has);
      this.#check(gtids, log);
      await setReplicated(on, this.#isMariadb, gtids, (missing) => setOnMirrors(to, missing, this.#signal));
      await replica.start(on, address, this.#signal);
    } finally {
      on.release();
    }
    this.#told = { target, source };
    this.#watch.start(source, () => {}); // this is noticed here as well
  }

  /** @throws {JobError} `GTIDS_LOST` where the source's log does not go on from what the target has */
  #check(gtids: string, log: Awaited<ReturnType<typeof readLog>>): void {
    const start = decideStart({ gtids, shape: NO_SHAPE, place: undefined }, { ...log, shape: NO_SHAPE }, undefined);
    if (start.type !== "continue") throw lost(start.type === "reseed" ? start.reason : "it is another cluster");
  }

  async #judge(status: ReplicaStatus, target: string): Promise<void> {
    const { replica } = this.#setting;
    if (NOT_IN_LOG.has(status.receiveError) && !status.isReceiving)
      throw lost(`the source says that it has not, or no longer, what follows (${status.receiveError})`);
    if (status.isReceiving && status.isApplying) {
      this.#problem = "";
      if (this.#state === "streaming") return;
      this.#state = "streaming";
      const { source } = this.#told as { readonly source: string }; // it is
      this.#tell({ type: "streaming", node: source, position: this.#position ?? "" });
      return;
    }
    if (status.applyError !== 0 && !status.isApplying) {
      // its text may have a statement, with whatever is in that
      this.#interrupted(
        `the target's server has stopped applying, with its error ${status.applyError}: see its error log on ${target}`,
      );
      if (Date.now() - this.#appliedAgainAt < AGAIN_MS) return;
      this.#appliedAgainAt = Date.now();
      await this.#onTarget((on) => replica.applyAgain(on, this.#signal));
    } else if (status.receiveError !== 0) {
      this.#interrupted(
        `the target's server does not reach the source, with its error ${status.receiveError}: ${status.receiveText}`,
      );
    }
  }

  /** Tells a reason once, until it streams again. */
  #interrupted(reason: string): void {
    this.#state = "interrupted";
    if (this.#problem === reason) return;
    this.#problem = reason;
    this.#interruptions += 1;
    this.#tell({ type: "interrupted", reason });
  }

  /** A server that was started again has forgotten its filter. */
  async #refuseUnlimited(): Promise<never> {
    const { replica } = this.#setting;
    await this.#onTarget((on) => replica.stop(on, this.#signal));
    const message =
      "the target's server was started again, has forgotten to which tables it is limited, and has replicated without that for a time: compare all of its tables. Have it not go on by itself (skip_slave_start), and follow again";
    throw new JobError("FOLLOW_FAILED", message, { resumable: true });
  }

  #tell(event: FollowEvent): void {
    tellEvent(this.#setting.onEvent, event);
  }

  async stop(): Promise<void> {
    await this.#takeDown((on) => this.#setting.replica.stop(on, AbortSignal.timeout(REMOVE_MS)));
  }

  async remove(): Promise<void> {
    const { to, bridge, job, replica } = this.#setting;
    await this.#takeDown((on) => replica.remove(on, AbortSignal.timeout(REMOVE_MS)));
    const { state } = bridge.target;
    await to.transaction(async (on) => {
      await state.forget(on, job);
      await state.forget(on, copyJob(job));
    });
  }

  async #takeDown(work: (on: ReservedConnection) => Promise<void>): Promise<void> {
    this.#stop.abort();
    await this.ended.catch(() => {});
    await this.#onTarget(work);
  }

  async #onTarget(work: (on: ReservedConnection) => Promise<void>): Promise<void> {
    const on = await this.#setting.to.reserve({ on: "primary" });
    try {
      await work(on);
    } finally {
      on.release();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

const REMOVE_MS = 60_000;

/** Which tables they are. */
const shapeOf = (pairs: readonly Pair[]): string =>
  createHash("sha256")
    .update(JSON.stringify(pairs.map(({ source }) => source.name).sort()))
    .digest("hex")
    .slice(0, 16);

function lost(why: string): JobError {
  const message = `the target's server cannot go on by its GTIDs: ${why}. remove() this one, and follow again without native and with begin: "compare"`;
  return new JobError("GTIDS_LOST", message);
}
