import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host, Site } from "../cluster/engine.ts";
import type { Ask } from "../cluster/login.ts";
import { LabError } from "../errors.ts";
import { write } from "../platform/files.ts";
import type { GroupFlavor } from "./group-flavor.ts";
import { MARIADB } from "./mariadb.ts";
import { STATE_TRANSFER } from "./state-transfer.ts";

const STATE_FILE = "grastate.dat";
const [ADMIN, GROUP, TRANSFER] = [0, 1, 2];

/** Galera: MariaDB's cluster in which every node takes writes. */
export const GALERA: GroupFlavor = {
  title: "Galera",
  extraPorts: [ADMIN, GROUP, TRANSFER].length,
  keepLocal: "SET SESSION wsrep_on = OFF",
  beginsAsCopies: true,

  settings(site, all, programs) {
    const provider = programs.libraries.map((path) => join(path, "libgalera_smm.so")).find((path) => existsSync(path));
    if (provider === undefined) {
      throw new LabError("not-possible-here", `libgalera_smm.so was not found in ${programs.libraries.join(", ")}`);
    }
    const options = {
      "gmcast.listen_addr": `tcp://${groupAddress(site)}`,
      "ist.recv_addr": `${site.host}:${site.extraPorts[TRANSFER]}`,
      "gcache.size": "64M",
      // notices a death or a freeze within about three seconds; the defaults are 5 and 15 s. Two nodes on a busy machine that suspect
      // each other as well lose the quorum for good
      "evs.keepalive_period": "PT0.25S",
      "evs.inactive_check_period": "PT0.25S",
      "evs.suspect_timeout": "PT3S",
      "evs.inactive_timeout": "PT6S",
      "evs.install_timeout": "PT6S",
      "pc.recovery": "false",
    };
    return {
      wsrep_on: "ON",
      wsrep_provider: provider,
      wsrep_provider_options: Object.entries(options)
        .map(([name, value]) => `${name}=${value}`)
        .join(";"),
      wsrep_cluster_address: `gcomm://${all.map(groupAddress).join(",")}`,
      wsrep_node_address: site.host,
      wsrep_node_name: site.name,
      wsrep_sst_method: STATE_TRANSFER,
      // the script's only: names a file
      wsrep_sst_receive_address: `${site.host}:${site.extraPorts[TRANSFER]}`,
      innodb_autoinc_lock_mode: "2",
    };
  },

  async startArguments(host, { isFirst, recover }) {
    const state = join(host.directory, STATE_FILE);
    const text = existsSync(state) ? await readFile(state, "utf8") : "";
    // a node that was killed did not write down how far it was
    const position = /^seqno:\s*-1$/m.test(text)
      ? /Recovered position: (\S+:\d+)/.exec(await recover())?.[1]
      : undefined;
    if (isFirst && text !== "") {
      await write(state, text.replace(/^safe_to_bootstrap: 0$/m, "safe_to_bootstrap: 1"), host.account);
    }
    return [
      ...(position === undefined ? [] : [`--wsrep-start-position=${position}`]),
      ...(isFirst ? ["--wsrep-new-cluster"] : []),
    ];
  },

  // each start is a new member
  sees: async () => undefined,
  join: async () => {},
  leave: async () => {},

  async isMember(ask) {
    const status = await statusOf(ask, "wsrep_ready");
    return status === "ON" && (await statusOf(ask, "wsrep_local_state_comment")) === "Synced";
  },

  view: (ask) => statusOf(ask, "wsrep_cluster_conf_id"),

  isWritable: (ask) => GALERA.isMember(ask),

  async lead(ask) {
    if ((await statusOf(ask, "wsrep_cluster_status")) === "Primary") return;
    await ask("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'");
  },

  readOnly: async (ask, isOn) => {
    await ask(MARIADB.readOnly(isOn));
  },

  position: (ask) => statusOf(ask, "wsrep_last_committed"),
  covers: async (_, all, part) => BigInt(all) >= BigInt(part),
  count: (position) => BigInt(position),
};

function groupAddress({ host, extraPorts }: Site | Host): string {
  return `${host}:${extraPorts[GROUP]}`;
}

async function statusOf(ask: Ask, name: string): Promise<string> {
  const [row] = await ask<{ Value: string }>(`SHOW GLOBAL STATUS LIKE '${name}'`);
  return row?.Value ?? "";
}
