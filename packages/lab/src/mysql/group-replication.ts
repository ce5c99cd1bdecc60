import type { Host, Site } from "../cluster/engine.ts";
import type { Ask } from "../cluster/login.ts";
import type { GroupFlavor } from "./group-flavor.ts";
import { MYSQL } from "./mysql.ts";
import { quoteLiteral } from "./sql.ts";

const GROUP_NAME = "6d697272-6f72-11e0-8000-706f6f6c6c61";
const [ADMIN, GROUP] = [0, 1];

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
    group_replication_group_seeds: all.map(groupAddress).join(","),
    group_replication_start_on_boot: "OFF",
    group_replication_bootstrap_group: "OFF",
    group_replication_recovery_get_public_key: "ON",
    // a member that does not answer is expelled after the 5 s in which the group suspects it, and not 5 s later
    group_replication_member_expel_timeout: "0",
    group_replication_recovery_reconnect_interval: "1",
  }),

  startArguments: async () => [],

  async join(ask, host, isFirst) {
    const { user, password } = host.superuser;
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

  async isMember(ask) {
    const members = await ask<{ id: string; state: string; own: string }>(
      "SELECT member_id AS id, member_state AS state, @@server_uuid AS own FROM performance_schema.replication_group_members",
    );
    const online = members.filter(({ state }) => state === "ONLINE");
    return online.some(({ id, own }) => id === own) && online.length * 2 > members.length;
  },

  async isWritable(ask) {
    const [row] = await ask<{ holds: number }>("SELECT @@super_read_only = 0 AS holds");
    return row?.holds === 1 && GROUP_REPLICATION.isMember(ask);
  },

  async lead(ask, host) {
    if (await GROUP_REPLICATION.isWritable(ask)) return;
    if (await GROUP_REPLICATION.isMember(ask)) {
      const primary =
        "SELECT 1 FROM performance_schema.replication_group_members WHERE member_role = 'PRIMARY' AND member_state = 'ONLINE'";
      // without one the group is electing
      if ((await ask(primary)).length > 0) await ask("SELECT group_replication_set_as_primary(@@server_uuid)");
    } else if (await hasLostQuorum(ask)) {
      await ask(`SET GLOBAL group_replication_force_members = ${quoteLiteral(groupAddress(host))}`);
      await ask("SET GLOBAL group_replication_force_members = ''");
    }
  },

  position: MYSQL.position,
  covers: MYSQL.covers,
  count: MYSQL.count,
};

async function hasLostQuorum(ask: Ask): Promise<boolean> {
  const sql = "SELECT member_state AS state FROM performance_schema.replication_group_members";
  const states = (await ask<{ state: string }>(sql)).map(({ state }) => state);
  return states.filter((state) => state === "UNREACHABLE").length * 2 >= states.length;
}

function groupAddress({ host, extraPorts }: Site | Host): string {
  return `${host}:${extraPorts[GROUP]}`;
}
