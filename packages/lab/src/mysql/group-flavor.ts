import type { Host, Site } from "../cluster/engine.ts";
import type { Ask } from "../cluster/login.ts";
import type { Programs } from "./programs.ts";
import type { Settings } from "./settings.ts";

/** How a node of a group starts. */
interface GroupStart {
  /** For the first time, with a new data directory. */
  readonly isNew: boolean;
  /** There is no group to join. */
  readonly isFirst: boolean;
  /** The server's own account of how far its data directory is. */
  recover(): Promise<string>;
}

/** Where Galera and MySQL's Group Replication differ. */
export interface GroupFlavor {
  readonly title: string;
  /** The port kept for the lab, and those of the group. */
  readonly extraPorts: number;
  /** Makes the statements of a session stay on its node. */
  readonly keepLocal: string;
  /** Whether the others begin as copies of the first node, after that has founded the group. */
  readonly beginsAsCopies: boolean;
  settings(site: Site, all: readonly Site[], programs: Programs): Settings;
  /** Further arguments of a start. */
  startArguments(host: Host, start: GroupStart): Promise<readonly string[]>;
  /** What the node that is asked holds of `host`: one of the group, one that it has lost sight of, or no member (undefined). */
  sees(ask: Ask, host: Host): Promise<"member" | "lost" | undefined>;
  /** Joins the group with a server that has started; also when it was tried in vain before. */
  join(ask: Ask, host: Host, isFirst: boolean): Promise<void>;
  /** Leaves the group before the server stops. */
  leave(ask: Ask): Promise<void>;
  /** Whether it is in the group, and that has its quorum. */
  isMember(ask: Ask): Promise<boolean>;
  /** The group as it sees it: those that see the same are in one. */
  view(ask: Ask): Promise<string>;
  /** Whether it takes writes. */
  isWritable(ask: Ask): Promise<boolean>;
  /** Makes it the one that takes writes; also the group, if that has lost its quorum. */
  lead(ask: Ask, host: Host): Promise<void>;
  /** Lets the application write, or not. */
  readOnly(ask: Ask, isOn: boolean): Promise<void>;
  position(ask: Ask): Promise<string>;
  covers(ask: Ask, all: string, part: string): Promise<boolean>;
  count(position: string): bigint;
}
