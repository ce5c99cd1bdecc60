import type { Account } from "../platform/account.ts";
import type { WaitOptions } from "../wait.ts";
import type { Ask, Login } from "./login.ts";
import type { ClusterPlan } from "./options.ts";
import type { Launch, Server, StopMode } from "./server.ts";

/** The facts of a node, which never change. */
export interface Site {
  readonly name: string;
  /** Counts from 1. */
  readonly number: number;
  /** The folder of the whole cluster, for what does not belong into the data directory. */
  readonly run: string;
  /** Its data directory. */
  readonly directory: string;
  readonly host: string;
  /** The port of the server itself. */
  readonly directPort: number;
  /** Further ports, as many as `DatabaseSystem.extraPorts` says. */
  readonly extraPorts: readonly number[];
  readonly plan: ClusterPlan;
  readonly account: Account | undefined;
  readonly superuser: { readonly user: string; readonly password: string };
}

/** A node as its engine sees it, and those of the other nodes. */
export interface Host extends Site {
  readonly server: Server;
  /** Whether it can be asked something. */
  readonly isResponsive: boolean;
  /** Runs several statements as superuser, past the proxy, on one connection. */
  ask<T>(work: (ask: Ask) => Promise<T>, wait?: WaitOptions): Promise<T>;
  /** The same bounds, which also end with the cluster: engines put all waits of their own under it. */
  within(wait?: WaitOptions): WaitOptions;
}

/** What one database system does its own way, for one node. `Replication` and `LabNode` say what each method means. */
export interface Engine {
  /** Starts the server in the role it had. */
  start(wait?: WaitOptions): Promise<void>;
  stop(mode: StopMode, wait?: WaitOptions): Promise<void>;
  thaw(): Promise<void>;

  lag(isOn: boolean): Promise<void>;
  replicate(isOn: boolean): Promise<void>;
  readOnly(isOn: boolean): Promise<void>;
  connectionLimit(limit: number | null): Promise<void>;
  terminateBackends(): Promise<number>;
  timeline(): Promise<number>;

  /** How much it has received as a mirror: comparable among the mirrors of a cluster. */
  received(): Promise<bigint>;
  /** Up to where a primary has written: that covers all that it has acknowledged. */
  position(wait?: WaitOptions): Promise<string>;
  /** Waits until it has replayed everything up to `position`. */
  waitForReplay(position: string, wait?: WaitOptions): Promise<void>;
  /** Waits until it receives from its primary, and has received what that has written by now. */
  waitForStream(wait?: WaitOptions): Promise<void>;

  /** Makes it a primary with all that it has received; resolves when it accepts writes. */
  promote(wait?: WaitOptions): Promise<void>;
  /**
   * Receives nothing more from its primary, until it follows one again. Absent where that takes no time.
   * @returns whether it has received until now
   */
  letGo?(wait?: WaitOptions): Promise<boolean>;
  /** Makes a mirror follow `primary`: from now on, or, if it does not run or is frozen, when it does again. */
  follow(primary: Host): Promise<void>;
  /** Ends its time as a primary in good order: no write is accepted any more. @returns its last position */
  retire(wait?: WaitOptions): Promise<string>;
  /** Undoes `retire`. */
  reinstate(wait?: WaitOptions): Promise<void>;
  /** Makes a retired primary a mirror of the one that has all it ever wrote. */
  demote(primary: Host, wait?: WaitOptions): Promise<void>;
  /** Brings it back as a mirror, whatever state it is in. */
  rejoin(primary: Host, wait?: WaitOptions): Promise<void>;
}

/** A node with its engine. */
export type Member = Host & { readonly engine: Engine };

/** One database system, ready to run on this machine. */
export interface DatabaseSystem {
  /** How many ports a node needs besides its own and its proxy's. */
  readonly extraPorts: number;
  launch(site: Site): Launch;
  createEngine(host: Host): Engine;
  /** How the lab's superuser logs in, past the proxy. */
  adminLogin(site: Site): Login;
  formatUrl(login: Login): string;
  /** Runs `work` on one new connection and closes that, whatever happens. `signal` breaks the connection. */
  connect<T>(login: Login, work: (ask: Ask) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Makes the data directories and starts the servers: a primary, and mirrors that follow it. */
  boot(primary: Member, mirrors: readonly Member[], signal: AbortSignal): Promise<void>;
}
