#!/usr/bin/env node
import { parseArgs } from "node:util";
import { servePrompt } from "./cli/prompt.ts";
import { createCluster } from "./cluster/cluster.ts";
import type { ServerKind } from "./cluster/options.ts";
import { LabError } from "./errors.ts";
import { sweep } from "./platform/run.ts";

const USAGE = `mirrorpool-lab: a real local database cluster, and what can go wrong with it

  mirrorpool-lab up [options]   boot a cluster, print its URLs, and take commands; Ctrl-C ends and removes it
    --database <name>           postgres (default), mariadb or mysql
    --group                     Galera (mariadb) or Group Replication (mysql) of 1 + mirrors nodes
    --mirrors <n>               how many mirrors, default 2
    --synchronous               a commit waits for one mirror
    --system                    the programs of this machine, none that the lab brings or fetches
    --bin <folder>              the programs in this folder
    --disk <bytes>              a disk of this size for each node, which can be filled (root on Linux)
    --json                      one JSON value a line instead of text
  mirrorpool-lab sweep          remove what killed labs of this user left behind
`;

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      database: { type: "string" },
      group: { type: "boolean" },
      mirrors: { type: "string" },
      synchronous: { type: "boolean" },
      system: { type: "boolean" },
      bin: { type: "string" },
      disk: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [command, ...more] = positionals;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (command === "sweep" && more.length === 0) {
    for (const path of sweep()) process.stdout.write(`removed ${path}\n`);
    return 0;
  }
  if (command !== "up" || more.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const cluster = await createCluster({
    // checked by the cluster, as all other values are
    ...(values.database !== undefined && { server: values.database as ServerKind }),
    ...(values.system && { system: "system" }),
    ...(values.bin !== undefined && { system: { bin: values.bin } }),
    group: values.group ?? false,
    synchronous: values.synchronous ?? false,
    ...(values.mirrors !== undefined && { mirrors: Number(values.mirrors) }),
    ...(values.disk !== undefined && { diskBytes: Number(values.disk) }),
  });
  try {
    await servePrompt(cluster, values.json ?? false);
  } finally {
    await cluster.close();
  }
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS");
  if (!isUsage && !(error instanceof LabError)) throw error;
  process.stderr.write(`mirrorpool-lab: ${error.message}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
