import type { Ask, Login } from "../cluster/login.ts";
import type { Programs, Wanted } from "./programs.ts";
import type { Settings } from "./settings.ts";

/** What a mirror says about its replication. */
interface ReplicaStatus {
  readonly isReceiving: boolean;
  readonly isApplying: boolean;
  /** All that it has received. */
  readonly received: string;
  /** Whether its primary does not have, or no longer has, what it asks for. */
  readonly isRefused: boolean;
  /** What went wrong, or an empty text. */
  readonly message: string;
}

/** One of the two threads of replication, or both. */
type ReplicaThread = "IO_THREAD" | "SQL_THREAD" | "";

/** How a data directory is made. */
interface Initialization {
  /** Folders that have to be in it before. */
  readonly folders: readonly string[];
  readonly args: readonly string[];
  /** What is written to the server's input. */
  readonly input: string;
}

/** Where MariaDB and MySQL differ. Positions are GTID sets as the server writes them. */
export interface Flavor {
  readonly wanted: Wanted;
  /** What the server needs besides what both have. */
  settings(synchronous: boolean): Settings;
  /** The setting that makes a commit wait for a mirror: on the primary only. A mirror with it would wait for its own. */
  readonly commitWaits: string;
  /** The settings of the port that is kept for the lab. */
  adminPort(port: number): Settings;
  /** How the server makes a data directory. */
  initialization(programs: Programs): Initialization;
  /** What the server writes to its log, last, when it accepts connections at all its ports. */
  readonly ready: RegExp;
  /** Statements that point a mirror, whose replication is stopped, to its primary. */
  follow(primary: Omit<Login, "database">): readonly string[];
  start(thread: ReplicaThread): string;
  stop(thread: ReplicaThread): string;
  /** Makes a stop that is under way end soon; absent where each does. */
  interrupt?(ask: Ask): Promise<void>;
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
  /** All that a server has ever written or replayed, whoever wrote it first. */
  history(ask: Ask): Promise<string>;
  /** Whether a mirror with this position can follow a primary with that history. */
  canFollow(ask: Ask, own: string, history: string): Promise<boolean>;
}
