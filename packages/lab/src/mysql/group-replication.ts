import type { Host, Site } from "../cluster/engine.ts";
import type { Ask } from "../cluster/login.ts";
import type { GroupFlavor } from "./group-flavor.ts";
import { MYSQL } from "./mysql.ts";
import { quoteLiteral } from "./sql.ts";

const GROUP_NAME = "6d697272-6f72-11e0-8000-706f6f6c6c61";
const [ADMIN, GROUP] = [0, 1];

/** How long a change of the primary waits for the transactions that are open; their sessions are ended then. */
const PATIENCE_S = 1;

/** MySQL's Group Replication with one primary, which the group elects. */
export const GROUP_REPLICATION: GroupFlavor = {
  title: "Group Replication",
  extraPorts: [ADMIN, GROUP].length,
  keepLocal: "SET sql_log_bin = 0",
  beginsAsCopies: false,

  settings: (site, all) => ({
    plugin_load_add: "group_replication.so",
    report_host: site.host,
    report_port: String(site.directPort),
    group_replication_group_name: GROUP_NAME,
    group_replication_local_address: groupAddress(site),
    // without itself, which it would ask first
    group_replication_group_seeds: all
      .filter(({ number }) => number !== site.number)
      .map(groupAddress)
      .join(","),
    group_replication_start_on_boot: "OFF",
    group_replication_bootstrap_group: "OFF",
    group_replication_recovery_get_public_key: "ON",
    // a member that does not answer is expelled after the 5 s in which the group suspects it, and not 5 s later
    group_replication_member_expel_timeout: "0",
    group_replication_recovery_reconnect_interval: "1",
  }),

  // it would take writes of its own until it has joined; what its first start writes is not refused
  startArguments: async (_, { isNew }) => (isNew ? [] : ["--super-read-only=ON"]),

  async sees(ask, { directPort }) {
    const sql = "SELECT member_state AS state FROM performance_schema.replication_group_members WHERE member_port = ?";
    const [row] = await ask<{ state: string }>(sql, [directPort]);
    return row && (row.state === "UNREACHABLE" ? "lost" : "member");
  },

  async join(ask, host, isFirst) {
    const { user, password } = host.superuser;
    await ask("STOP GROUP_REPLICATION");
    await ask(
      `CHANGE REPLICATION SOURCE TO SOURCE_USER = ${quoteLiteral(user)}, SOURCE_PASSWORD = ${quoteLiteral(password)}
       FOR CHANNEL 'group_replication_recovery'`,
    );
    if (isFirst) await ask("SET GLOBAL group_replication_bootstrap_group = ON");
    try {
      await ask("START GROUP_REPLICATION");
    } finally {
      if (isFirst) await ask("SET GLOBAL group_replication_bootstrap_group = OFF");
    }
  },

  // a server that leaves it only in the middle of its shutdown, with transactions under way, may never end
  async leave(ask) {
    await ask("STOP GROUP_REPLICATION");
  },

  async isMember(ask) {
    const members = await membersSeenBy(ask);
    return members.some(({ isSelf, state }) => isSelf && state === "ONLINE") && hasQuorum(members);
  },

  async view(ask) {
    const rows = await ask<{ part: string }>(
      `SELECT view_id AS part FROM performance_schema.replication_group_member_stats WHERE member_id = @@server_uuid
       UNION ALL
       SELECT CONCAT(member_id, ' ', member_state) FROM performance_schema.replication_group_members`,
    );
    return rows
      .map(({ part }) => part)
      .sort()
      .join();
  },

  async isWritable(ask) {
    const [row] = await ask<{ holds: number }>("SELECT @@super_read_only = 0 AS holds");
    const members = await membersSeenBy(ask);
    return row?.holds === 1 && hasQuorum(members) && members.some((each) => each.isSelf && isPrimary(each));
  },

  async lead(ask, host) {
    const members = await membersSeenBy(ask);
    if (!hasQuorum(members)) {
      await ask(`SET GLOBAL group_replication_force_members = ${quoteLiteral(groupAddress(host))}`);
      await ask("SET GLOBAL group_replication_force_members = ''");
    } else if (members.some((each) => isPrimary(each) && !each.isSelf)) {
      await ask("SELECT group_replication_set_as_primary(@@server_uuid, ?)", [PATIENCE_S]);
    }
    // without a primary the group is electing
  },

  readOnly: async (ask, isOn) => {
    // a member that is not the primary has to stay read-only
    if (isOn) await ask("SET GLOBAL super_read_only = ON");
    else if ((await membersSeenBy(ask)).some((each) => each.isSelf && isPrimary(each))) {
      await ask("SET GLOBAL read_only = OFF");
    }
  },

  position: MYSQL.position,
  covers: MYSQL.covers,
  count: MYSQL.count,
};

interface GroupMember {
  readonly state: string;
  readonly role: string;
  readonly isSelf: boolean;
}

async function membersSeenBy(ask: Ask): Promise<readonly GroupMember[]> {
  const rows = await ask<{ state: string; role: string; self: number }>(
    `SELECT member_state AS state, member_role AS role, member_id = @@server_uuid AS self
     FROM performance_schema.replication_group_members`,
  );
  return rows.map(({ state, role, self }) => ({ state, role, isSelf: self === 1 }));
}

const isPrimary = ({ state, role }: GroupMember): boolean => role === "PRIMARY" && state === "ONLINE";

function hasQuorum(members: readonly GroupMember[]): boolean {
  return members.filter(({ state }) => state !== "UNREACHABLE").length * 2 > members.length;
}

function groupAddress({ host, extraPorts }: Site | Host): string {
  return `${host}:${extraPorts[GROUP]}`;
}
