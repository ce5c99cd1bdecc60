import type { Host, Site } from "../cluster/engine.ts";
import type { Ask } from "../cluster/login.ts";
import type { Programs } from "./programs.ts";
import type { Settings } from "./settings.ts";

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
  /** Further arguments of a start; `isFirst`: there is no group to join. */
  startArguments(host: Host, isFirst: boolean, recover: () => Promise<string>): Promise<readonly string[]>;
  /** Joins the group with a server that has started. */
  join(ask: Ask, host: Host, isFirst: boolean): Promise<void>;
  /** Whether it is in the group, and that has its quorum. */
  isMember(ask: Ask): Promise<boolean>;
  /** Whether it takes writes. */
  isWritable(ask: Ask): Promise<boolean>;
  /** Makes it the one that takes writes; also the group, if that has lost its quorum. */
  lead(ask: Ask, host: Host): Promise<void>;
  position(ask: Ask): Promise<string>;
  covers(ask: Ask, all: string, part: string): Promise<boolean>;
  count(position: string): bigint;
}
