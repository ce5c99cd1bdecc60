import type { FaultProxy } from "../proxy/fault-proxy.ts";
import type { WaitOptions } from "../wait.ts";
import type { Row } from "./login.ts";
import type { StopMode } from "./server.ts";

/** One server of the cluster, with everything that may happen to it. */
export interface LabNode {
  /** `node1`, `node2`, ... */
  readonly name: string;
  /** Where applications connect: the proxy, or the server itself without proxies. */
  readonly host: string;
  readonly port: number;
  /** For the application's role, through the proxy. */
  readonly url: string;
  /** The port of the server itself. */
  readonly directPort: number;
  /** For the application's role, past the proxy. */
  readonly directUrl: string;
  /** For the lab's superuser, past the proxy. */
  readonly adminUrl: string;
  /** @throws LabError `wrong-state` in a cluster without proxies */
  readonly proxy: FaultProxy;
  /** The main process's id, while it runs. */
  readonly pid: number | undefined;
  /** Whether there is a server process, frozen or not. */
  readonly isRunning: boolean;
  readonly isFrozen: boolean;

  /** SIGKILL for the whole process tree at once, as a power cut. Also when frozen or stopped already. */
  kill(): Promise<void>;
  /** SIGSTOP for the whole process tree: connections stay open, new ones are accepted by the kernel, nothing answers. */
  freeze(): Promise<void>;
  /** SIGCONT for the whole process tree: it goes on as if nothing had happened. */
  thaw(): Promise<void>;
  /**
   * `smart` (PostgreSQL only) waits for the clients to leave, `fast` (default) disconnects them, `immediate` does not even
   * write a checkpoint.
   */
  stop(mode?: StopMode, wait?: WaitOptions): Promise<void>;
  /** Starts it in the role it had: a killed primary comes back as a primary. See `cluster.rejoin` for the other way. */
  start(wait?: WaitOptions): Promise<void>;
  /** `stop` and `start`. */
  restart(mode?: StopMode, wait?: WaitOptions): Promise<void>;

  /** Stops (true) a mirror from replaying what it receives: it answers, but with older and older data. */
  lag(isOn: boolean): Promise<void>;
  /** Cuts (false) a mirror off from its primary: promoted now, it lacks what was acknowledged since. */
  replicate(isOn: boolean): Promise<void>;
  /** Makes every new transaction read-only (SQLSTATE 25006; 1290 on MariaDB and MySQL). Resolves when that is in force. */
  readOnly(isOn: boolean): Promise<void>;
  /**
   * Limits how many connections the application's role may have (above it SQLSTATE 53300, or 1226); `null` lifts the limit. Set it
   * on the primary: it travels to the mirrors, and counts on each.
   */
  connectionLimit(limit: number | null): Promise<void>;
  /**
   * Fills the disk under the data: what needs more of it fails with SQLSTATE 53100, or 1114. The WAL or binary log lies elsewhere.
   * @throws LabError `not-possible-here` in a cluster without `diskBytes`
   */
  fillDisk(): Promise<void>;
  /** Undoes `fillDisk`. */
  freeDisk(): Promise<void>;
  /** Ends all sessions but the lab's own (SQLSTATE 57P01; a broken connection). @returns how many */
  terminateBackends(): Promise<number>;

  /** Runs a statement as superuser, past the proxy, on a connection of its own. Errors are those of `pg` or `mysql2`. */
  query<R extends object = Row>(sql: string, params?: readonly unknown[]): Promise<readonly R[]>;
  /**
   * The timeline it writes, or receives as a mirror.
   * @throws LabError `not-possible-here` on MariaDB and MySQL, which have none
   */
  timeline(): Promise<number>;
  /** The last lines of the server's log, without passwords. */
  logTail(): string;
}
