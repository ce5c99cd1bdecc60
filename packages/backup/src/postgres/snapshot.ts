import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { BackupError } from "../errors.ts";
import type { SourcePosition } from "../format/manifest.ts";
import { withSignal } from "../with-signal.ts";
import { codeOf } from "./code-of.ts";
import { quoteText } from "./quote.ts";
import { applySettings } from "./settings.ts";

/** For an answer that takes a moment. */
const ALIVE_MS = 10_000;

const BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const POSITION = `
SELECT pg_is_in_recovery() AS "isMirror", system_identifier::text AS "systemId", current_database() AS database,
       current_setting('server_version_num')::int AS "serverVersion", extract(epoch FROM pg_postmaster_start_time())::text AS instance,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS position,
       CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END AS timeline
  FROM pg_control_system()`;

interface PositionRow {
  readonly isMirror: boolean;
  readonly systemId: string;
  readonly database: string;
  readonly serverVersion: number;
  readonly instance: string;
  readonly position: string;
  readonly timeline: number | null;
}

/** What a server says of a snapshot that nobody holds any more: an older one that it is invalid, a newer one that it does not exist. */
const GONE = new Set(["22023", "42704", "55000"]);

export const saysGone = (error: unknown): boolean => GONE.has(codeOf(error));

/**
 * One snapshot that any number of connections read in. It lives as long as one of them does: where the one that exported it is lost,
 * another one exports it again.
 */
export class SharedSnapshot implements AsyncDisposable {
  readonly source: SourcePosition;
  /** Reads catalogues and holds the snapshot; it has no chunks to read. */
  #holder: ReservedConnection;
  #id: string;
  readonly #pool: FailoverPool;
  readonly #members = new Set<ReservedConnection>();
  #renewing: Promise<void> | undefined;

  private constructor(pool: FailoverPool, holder: ReservedConnection, id: string, source: SourcePosition) {
    this.#pool = pool;
    this.#holder = holder;
    this.#id = id;
    this.source = source;
  }

  static async take(
    pool: FailoverPool,
    from: "mirror" | "primary",
    signal: AbortSignal | undefined,
  ): Promise<SharedSnapshot> {
    const holder = await pool.reserve({ on: from, ...withSignal(signal) });
    try {
      await applySettings(holder, signal);
      // before the snapshot: what was committed up to here is in it
      const position = (await holder.query<PositionRow>(POSITION)).rows[0] as PositionRow; // it answers exactly one
      await holder.query(BEGIN);
      const { rows } = await holder.query<{ id: string; snapshot: string }>(
        "SELECT pg_export_snapshot() AS id, pg_current_snapshot()::text AS snapshot",
      );
      const { id, snapshot } = rows[0] as { id: string; snapshot: string };
      return new SharedSnapshot(pool, holder, id, {
        system: "postgresql",
        serverVersion: position.serverVersion,
        database: position.database,
        node: holder.node,
        role: position.isMirror ? "mirror" : "primary",
        systemId: position.systemId,
        instance: position.instance,
        timeline: position.timeline ?? undefined,
        position: position.position,
        snapshot,
      });
    } catch (error) {
      holder.release();
      throw error;
    }
  }

  get holder(): ReservedConnection {
    return this.#holder;
  }

  get id(): string {
    return this.#id;
  }

  /** Another connection to the same node, in the same snapshot. @throws {BackupError} `SOURCE_LOST` */
  async join(signal: AbortSignal | undefined): Promise<ReservedConnection> {
    await this.#keep();
    try {
      return await this.#import(signal);
    } catch (error) {
      if (!saysGone(error)) throw error;
      // the holder is lost, and it is not known here yet
      await this.requireAlive(error);
      return await this.#import(signal);
    }
  }

  async #import(signal: AbortSignal | undefined): Promise<ReservedConnection> {
    const member = await this.#pool.reserve({ on: { node: this.source.node }, ...withSignal(signal) });
    try {
      await applySettings(member, signal);
      await member.query(BEGIN);
      await member.query(`SET TRANSACTION SNAPSHOT ${quoteText(this.#id)}`);
    } catch (error) {
      member.release();
      throw error;
    }
    this.#members.add(member);
    return member;
  }

  /** Its transaction has failed, or it is not needed any more. */
  leave(member: ReservedConnection): void {
    this.#members.delete(member);
    member.release();
  }

  /** @throws {BackupError} `SOURCE_LOST` where no connection has it any more */
  async requireAlive(cause: unknown): Promise<void> {
    try {
      await this.#holder.query("SELECT", [], { timeoutMs: ALIVE_MS });
    } catch {
      await this.#keep(cause);
    }
  }

  /** Makes sure that somebody holds the snapshot. */
  async #keep(cause?: unknown): Promise<void> {
    if (this.#holder.isOpen) return;
    this.#renewing ??= this.#renew(cause).finally(() => {
      this.#renewing = undefined;
    });
    await this.#renewing;
  }

  async #renew(cause: unknown): Promise<void> {
    for (const member of this.#members) {
      if (!member.isOpen) continue;
      try {
        // waits for the chunk that it reads
        const { rows } = await member.query<{ id: string }>("SELECT pg_export_snapshot() AS id");
        this.#id = rows[0]?.id ?? "";
        this.#holder = member;
        return;
      } catch {
        // it was lost meanwhile: the next one
      }
    }
    throw new BackupError("SOURCE_LOST", `the snapshot on ${this.source.node} is gone with all its connections`, {
      retryable: true,
      cause,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.release();
    for (const member of this.#members) member.release();
  }
}
