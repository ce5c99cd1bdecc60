import { readFileSync } from "node:fs";
import { lossyRules } from "@mirrorpool/sync";
import { Command, InvalidArgumentError, Option } from "commander";
import { runBackup, runList, runRestore, runVerify } from "./commands/backups.ts";
import { check } from "./commands/check.ts";
import { runDrill } from "./commands/drill.ts";
import { ledger } from "./commands/ledger.ts";
import { status } from "./commands/status.ts";
import { switchover } from "./commands/switchover.ts";
import { runCompare, runCopy, runFollow, runRepair } from "./commands/sync.ts";
import { watch } from "./commands/watch.ts";
import { runWorker } from "./commands/worker.ts";
import type { CommonOptions, Context } from "./context.ts";

/** How a command is run, by whoever has the world around it. */
export type Run = (options: CommonOptions, work: (context: Context) => Promise<void>) => Promise<void>;

const CLUSTER = "its name in the configuration, or URLs separated by commas";

/** All commands and their options. */
export function createProgram(run: Run): Command {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const program = new Command("mirrorpool")
    .description(
      "Look at a cluster of mirrored databases, move data between clusters, back them up, and drill failovers.",
    )
    .version(version)
    .option("-c, --config <file>", "configuration; default: the nearest mirrorpool.config.ts (or .mts, .mjs, .js)")
    .option("--json", "JSON, one value a line")
    .option("--timeout <ms>", "how long the cluster may take to answer", whole(1, 86_400_000))
    .showHelpAfterError("(mirrorpool --help shows all)")
    .addHelpText("after", HELP);

  const add = <F>(
    usage: string,
    description: string,
    options: readonly Option[],
    work: (context: Context, flags: F, given: string | undefined) => Promise<void>,
    takesCluster: boolean = true,
  ): void => {
    const command = program.command(usage).description(description);
    if (takesCluster) command.argument("[cluster]", CLUSTER);
    for (const option of options) command.addOption(option);
    command.action(async (...args: unknown[]) => {
      const given = takesCluster ? (args[0] as string | undefined) : undefined; // commander's order: arguments, options, command
      const flags = args[takesCluster ? 1 : 0] as F;
      await run(program.opts<CommonOptions>(), (context) => work(context, flags, given));
    });
  };

  add("status", "each node's role, lag and trouble", [], (context, _, given) => status(context, given));
  add<{ interval: number }>(
    "watch",
    "a live view of roles, lag, pools and events",
    [new Option("--interval <ms>", "how often it is drawn").default(500).argParser(whole(50, 60_000))],
    (context, flags, given) => watch(context, given, flags.interval),
  );
  add("check", "whether the cluster is set up so that a failover goes well", [], (context, _, given) =>
    check(context, given),
  );
  add<{ to: string; promote?: string }>(
    "switchover",
    "wait until a mirror has everything, and have it promoted",
    [
      new Option("--to <node>", "the mirror").makeOptionMandatory(),
      new Option(
        "--promote <command>",
        "promotes $MIRRORPOOL_TO, after stopping $MIRRORPOOL_FROM; default: the configuration's hook",
      ),
    ],
    (context, flags, given) => switchover(context, given, flags),
  );
  add<{ create?: boolean }>(
    "ledger",
    "the SQL of the commit ledger's table",
    [new Option("--create", "make the table")],
    (context, flags, given) => ledger(context, given, flags.create === true),
  );

  const lossy = new Option("--lossy <rules...>", "losses between two systems that are accepted").choices(
    Object.keys(lossyRules),
  );
  const between = [
    new Option("--from <cluster>", `where rows come from: ${CLUSTER}`).makeOptionMandatory(),
    new Option("--to <cluster>", "where they go").makeOptionMandatory(),
    new Option("--tables <patterns...>", "such as public.orders or sales.*; default: all"),
    new Option("--exclude <patterns...>", "left out of them"),
    new Option("--connections <n>", "to each side").argParser(whole(1, 64)),
    new Option("--read-from <role>", "where the source is read").choices(["mirror", "primary"]),
    lossy,
  ];
  const queue = new Option(
    "--queue <cluster>",
    "have it done by `mirrorpool worker` processes that wait at this queue",
  );
  const chunkBytes = new Option("--chunk-bytes <n>", "about how much of a table is one piece of work");
  const pieces = chunkBytes.argParser(whole(65_536, 1_099_511_627_776));
  add<Parameters<typeof runCopy>[1]>(
    "copy",
    "copy tables from one cluster to another; the same command goes on where it was ended",
    [
      ...between,
      new Option("--job <name>", "under which the target keeps how far it is"),
      new Option("--into <state>", "of the target's tables").choices(["empty", "replace"]),
      new Option("--create-tables", "make tables that the target does not have, where that is another system"),
      pieces,
      queue,
    ],
    (context, flags) => runCopy(context, flags),
    false,
  );
  add<Parameters<typeof runCompare>[1]>(
    "compare",
    "find the rows in which two clusters differ",
    [
      ...between,
      new Option("--max-differences <n>", "ends after so many").argParser(whole(1, 1_000_000)),
      pieces,
      queue,
    ],
    (context, flags) => runCompare(context, flags),
    false,
  );
  add<Parameters<typeof runRepair>[1]>(
    "repair",
    "make the target equal to the source",
    [
      ...between,
      new Option("--dry-run", "only say what would be done"),
      new Option("--batch-rows <n>", "rows of one transaction").argParser(whole(1, 10_000)),
    ],
    (context, flags) => runRepair(context, flags),
    false,
  );

  add<Parameters<typeof runFollow>[1]>(
    "follow",
    "keep the target equal to the source until Ctrl-C; the same command goes on where it was ended",
    [
      ...between,
      new Option("--job <name>", "under which the target keeps how far it is"),
      new Option("--begin <how>", "how the target becomes equal at first").choices(["copy", "replace", "compare"]),
      new Option("--on-conflict <what>", "for a change that does not fit").choices(["stop", "source-wins"]),
      new Option(
        "--native [connection]",
        "by the servers' own replication, between servers of the same system; how the target's server reaches the source",
      ),
      new Option("--until-caught-up", "end as soon as the target has what the source has now"),
      new Option("--remove", "then end it for good: the source keeps nothing for it any more"),
    ],
    (context, flags) => runFollow(context, flags),
    false,
  );

  const stored = [
    new Option(
      "--store <place>",
      "a folder, or s3://bucket/prefix with AWS_* in the environment; default: the configuration's",
    ),
    new Option("--key-file <file>", "what it is encrypted with; or MIRRORPOOL_PASSPHRASE in the environment"),
  ];
  const jobs = new Option("--jobs <n>", "chunks at a time").argParser(whole(1, 32));
  const tables = new Option("--tables <patterns...>", "such as public.orders or sales.*; default: all");
  add<Omit<Parameters<typeof runBackup>[2], "keep"> & { keep?: { days?: number; count?: number } }>(
    "backup",
    "back a cluster up, from a mirror where one is fit",
    [
      ...stored,
      jobs,
      tables,
      new Option("--from <role>", "where it is read").choices(["mirror", "primary"]),
      new Option("--compression <kind>", "of chunks").choices(["zstd", "gzip", "none"]),
      new Option("--form <form>", "of rows: binary is faster to restore, into the same major version alone").choices([
        "text",
        "binary",
      ]),
      pieces,
      new Option("--keep <rule>", "older backups that stay: 7d, 10, or 7d,10").argParser(keepRule),
      new Option("--no-schema", "rows only"),
      new Option("--pg-dump <file>", "the program for definitions, which has to be as new as the server"),
    ],
    (context, flags, given) => runBackup(context, given, flags),
  );
  add<Parameters<typeof runList>[2]>("backups", "list finished backups", stored, (context, flags, given) =>
    runList(context, given, flags),
  );
  const name = new Option("--backup <name>", "default: the latest");
  add<Parameters<typeof runVerify>[2]>(
    "verify",
    "check every file of a backup; with a scratch database, restore it and compare every row",
    [
      ...stored,
      jobs,
      name,
      new Option("--into <cluster>", `an empty scratch database: ${CLUSTER}`),
      new Option("--scratch", "one that is booted for it on this machine, by @mirrorpool/lab"),
    ],
    (context, flags, given) => runVerify(context, given, flags),
  );
  add<Parameters<typeof runRestore>[2]>(
    "restore",
    "restore a backup into a cluster; the same command goes on where it was ended",
    [
      ...stored,
      jobs,
      name,
      tables,
      new Option("--of <cluster>", "whose backups they are, where not the target's own"),
      new Option("--existing <what>", "for tables that have rows").choices(["refuse", "append", "replace"]),
      new Option("--no-schema", "rows only, into tables that are there"),
      new Option("--no-owners", "without owners and privileges"),
      lossy,
      new Option("--abandon", "give an unfinished restore up"),
      queue,
    ],
    (context, flags, given) => runRestore(context, given, flags),
  );
  add<Parameters<typeof runWorker>[1]>(
    "worker",
    "do pieces of copies, comparisons and restores that others lead, until Ctrl-C; any number, on any machines",
    [
      new Option("--queue <cluster>", `where they are waited for, a PostgreSQL: ${CLUSTER}`).makeOptionMandatory(),
      new Option("--units <n>", "at a time; default 2").argParser(whole(1, 64)),
      ...stored,
    ],
    (context, flags) => runWorker(context, flags),
    false,
  );
  add<Parameters<typeof runDrill>[1]>(
    "drill",
    "boot a cluster on this machine, let everything go wrong under load, and write a report",
    [
      new Option("--workload <module>", "its default export is what to run; default: orders, counted"),
      new Option("--faults <names...>", "kill, freeze, partition, switchover, mirror; default: all"),
      new Option("--mirrors <n>", "of the cluster").default(2).argParser(whole(1, 8)),
      new Option("--callers <n>", "at a time").default(8).argParser(whole(1, 1000)),
      new Option("--calm <ms>", "before each fault").default(2000).argParser(whole(0, 3_600_000)),
      new Option("--synchronous", "a commit waits for a mirror"),
      new Option("--exactly-once", "with the commit ledger"),
      new Option("--report <path>", "without ending: .html and .json are written").default("drill"),
    ],
    (context, flags) => runDrill(context, flags),
    false,
  );
  return program;
}

const HELP = `
A cluster is named by the configuration, given as URLs, or comes from MIRRORPOOL_URLS (or DATABASE_URLS) in the environment.
Passwords in arguments can be read by everybody on the machine: prefer the configuration or the environment.

Exit codes: 0 done; 1 failed; 2 wrong arguments or configuration; 3 a check has found something; 4 no cluster to be reached, or no
primary; 130 ended by Ctrl-C: the same command goes on.`;

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

/** `7d` is an age, `10` a number of backups. */
function keepRule(text: string): { days?: number; count?: number } {
  const keep: { days?: number; count?: number } = {};
  for (const part of text.split(",")) {
    const [, number, unit] = /^(\d{1,6})(d?)$/.exec(part.trim()) ?? [];
    if (number === undefined || Number(number) < 1)
      throw new InvalidArgumentError("Expected an age such as 7d, a number of backups, or both.");
    keep[unit === "d" ? "days" : "count"] = Number(number);
  }
  return keep;
}
