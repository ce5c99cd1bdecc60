import { setTimeout as sleep } from "node:timers/promises";
import type { ReservedConnection } from "@mirrorpool/core";
import { JobError } from "../../errors.ts";
import { ChangesLost, isPassing, numberOf } from "../../faults.ts";
import { ask } from "../../mysql/ask.ts";
import type { Flavor } from "../../mysql/settings.ts";
import { PATIENT, type Querier } from "../../querier.ts";
import type { Place } from "./position.ts";
import { type ReplicaWords, WORDS } from "./replica-words.ts";
import type { ServerAddress } from "./server-address.ts";

/** How the server itself replicates. */
export interface ReplicaStatus {
  readonly host: string;
  readonly port: number;
  readonly isReceiving: boolean;
  readonly isApplying: boolean;
  /** 0 where all is well. */
  readonly receiveError: number;
  readonly applyError: number;
  /** In the server's words. That of applying may hold a statement, and is for nobody. */
  readonly receiveText: string;
  readonly lagSeconds: number | undefined;
  /** Up to where in the source's log it has applied. */
  readonly place: Place | undefined;
  /** The tables that it is limited to. */
  readonly tables: string;
}

/** There is no connection, or channel, of this name. */
const NO_SUCH: ReadonlySet<number> = new Set([1617, 3074]);

/** A named connection (MariaDB), or channel (MySQL), by which a server replicates from another one. */
export class Replica {
  readonly #words: ReplicaWords;

  /** @param tables of that database: it is limited to these */
  constructor(flavor: Flavor, name: string, database: string, tables: readonly string[]) {
    this.#words = WORDS[flavor](name, database, tables);
  }

  /** Undefined where the server has none of this name. */
  async status(on: Querier): Promise<ReplicaStatus | undefined> {
    const [row] = await leniently(() => ask<Record<string, string | null>>(on, this.#words.status), []);
    if (row === undefined) return undefined;
    const of = (...names: readonly string[]): string =>
      names.map((name) => row[name]).find((value) => value != null) ?? "";
    const [file, offset] = [
      of("Relay_Source_Log_File", "Relay_Master_Log_File"),
      of("Exec_Source_Log_Pos", "Exec_Master_Log_Pos"),
    ];
    const lag = of("Seconds_Behind_Source", "Seconds_Behind_Master");
    return {
      host: of("Source_Host", "Master_Host"),
      port: Number(of("Source_Port", "Master_Port")),
      isReceiving: of("Replica_IO_Running", "Slave_IO_Running") === "Yes",
      isApplying: of("Replica_SQL_Running", "Slave_SQL_Running") === "Yes",
      receiveError: Number(of("Last_IO_Errno")),
      applyError: Number(of("Last_SQL_Errno")),
      receiveText: of("Last_IO_Error"),
      lagSeconds: lag === "" ? undefined : Number(lag),
      place: file === "" ? undefined : { file, offset: Number(offset) },
      tables: of("Replicate_Do_Table"),
    };
  }

  /**
   * Begins, or goes on, from where the server is.
   * @throws {JobError} `FOLLOW_FAILED` with the number of the server's error and nothing else: its text may have the statement
   */
  async start(on: Querier, address: ServerAddress, signal: AbortSignal): Promise<void> {
    await this.stop(on, signal);
    for (const text of this.#words.start(address)) await tellSecret(on, text, signal);
  }

  /** The part that applies what was received, after an error. */
  async applyAgain(on: Querier, signal: AbortSignal): Promise<void> {
    await tellPlainly(on, this.#words.apply, signal);
  }

  /** Does nothing where there is none. */
  async stop(on: Querier, signal: AbortSignal): Promise<void> {
    await leniently(() => tellPlainly(on, this.#words.stop, signal), undefined);
  }

  async remove(on: Querier, signal: AbortSignal): Promise<void> {
    await this.stop(on, signal);
    await leniently(() => tellPlainly(on, this.#words.forget, signal), undefined);
  }

  /** Whether the user may do all this. */
  async mayReplicate(on: ReservedConnection, signal: AbortSignal): Promise<boolean> {
    try {
      await this.status(on);
      await tellPlainly(on, this.#words.probe, signal);
      return true;
    } catch (error) {
      if (DENIED.has(numberOf(error) ?? 0)) return false;
      throw error;
    }
  }
}

const DENIED: ReadonlySet<number> = new Set([1044, 1045, 1142, 1227]);

async function leniently<T>(work: () => Promise<T>, none: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (NO_SUCH.has(numberOf(error) ?? 0)) return none;
    throw error;
  }
}

async function tellPlainly(on: Querier, text: string, signal: AbortSignal): Promise<void> {
  await on.query(text, undefined, { ...PATIENT, signal });
}

/** "This operation cannot be performed as you have a running slave": its threads take a moment to end. */
const RUNNING: ReadonlySet<number> = new Set([1198, 1192, 3021, 3017, 3081]);
const REST_MS = 100;
const TRIES = 50;

/** No error of this has a trace of the statement: neither its text, nor a cause. */
async function tellSecret(on: Querier, text: string, signal: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await tellPlainly(on, text, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (isPassing(error)) throw new ChangesLost("the target was lost while its server was told whom to follow");
      const number = numberOf(error);
      if (!RUNNING.has(number ?? 0) || attempt >= TRIES) {
        const message = `the target's server refuses to follow (its error ${number ?? "has no number"}): look at native.connection, and at what its error log says`;
        throw new JobError("FOLLOW_FAILED", message, { resumable: true });
      }
      await sleep(REST_MS, undefined, { signal });
    }
  }
}
