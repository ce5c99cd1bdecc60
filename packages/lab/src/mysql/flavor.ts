import type { Ask, Login } from "../cluster/login.ts";
import type { Programs, Wanted } from "./programs.ts";
import type { Settings } from "./settings.ts";

/** What a mirror says about its replication. */
interface ReplicaStatus {
  readonly isReceiving: boolean;
  readonly isApplying: boolean;
  /** All that it has received. */
  readonly received: string;
  /** What went wrong, or 0 and an empty text. */
  readonly code: number;
  readonly message: string;
}

/** One of the two threads of replication, or both. */
type ReplicaThread = "IO_THREAD" | "SQL_THREAD" | "";

/** Where MariaDB and MySQL differ. Positions are GTID sets as the server writes them. */
export interface Flavor {
  readonly wanted: Wanted;
  /** What the server needs besides what both have. */
  settings(synchronous: boolean): Settings;
  /** The settings of the port that is kept for the lab. */
  adminPort(port: number): Settings;
  /** Makes a data directory. Several arguments, and what is written to its input. */
  initialization(programs: Programs): { readonly args: readonly string[]; readonly input: string };
  /** Statements that point a mirror, whose replication is stopped, to its primary. */
  follow(primary: Omit<Login, "database">): readonly string[];
  start(thread: ReplicaThread): string;
  stop(thread: ReplicaThread): string;
  /** Forgets the primary. */
  readonly forget: string;
  readOnly(isOn: boolean): string;
  /** `undefined` when it is no mirror. */
  status(ask: Ask): Promise<ReplicaStatus | undefined>;
  /** All that it has written or replayed. */
  position(ask: Ask): Promise<string>;
  /** Whether `all` contains `part`. */
  covers(ask: Ask, all: string, part: string): Promise<boolean>;
  /** How many transactions a position has. */
  count(position: string): bigint;
  /** Whether a mirror with this position can follow, as far as the position tells. */
  canFollow(ask: Ask, own: string, primary: string): Promise<boolean>;
}
