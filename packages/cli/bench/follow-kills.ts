import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster, type ServerKind } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";
import { MAIN, type Report } from "./command.ts";

const ACCOUNTS = 200;
const SUM = ACCOUNTS * 200;
const WRITERS = 2;
/** A process needs half a second to begin: some kills come before that, most while it streams. */
const MOST_MS = 2500;
const PATIENCE_MS = 120_000;

type System = Extract<ServerKind, "postgres" | "mariadb" | "mysql">;

/** Pairs of systems of which one is followed by the other. */
const PAIRS: readonly (readonly [System, System])[] = [
  ["postgres", "postgres"],
  ["postgres", "mariadb"],
  ["mariadb", "postgres"],
  ["mariadb", "mariadb"],
];

/**
 * Follows, killed at so many random moments under a write load, with a failover of the source and one of the target in between, both of
 * which lose what was not mirrored yet: equal in the end, nothing twice, and no transaction ever seen in part.
 */
export async function followKills(report: Report, count: number): Promise<void> {
  for (const [one, other] of PAIRS) await killAll(report, count, one, other);
}

async function killAll(report: Report, count: number, one: System, other: System): Promise<void> {
  const name = `follow, ${one} to ${other}`;
  const settings: Record<string, string> = one === "postgres" ? { wal_level: "logical" } : {};
  await using source = await createCluster({ server: one, mirrors: 1, settings });
  await using target = await createCluster({ server: other, mirrors: 1 });
  const right = one === "postgres" ? "ALTER ROLE app REPLICATION" : "GRANT REPLICATION SLAVE ON *.* TO app@'%'";
  await source.primary().query(right);
  await using from = poolOf(source, one);
  await using to = poolOf(target, other);
  await fill(from, to);
  const between = ["--from", source.urls.join(","), "--to", target.urls.join(",")];
  const moving = load(from);
  const conflicts: unknown[] = [];
  let watching: ReturnType<typeof watch> | undefined;
  let reseeds = 0;
  const onSaid = ({ event }: Said): void => {
    if (event?.type === "conflict") conflicts.push(event);
    // before that the target has not all of the first copy
    if (event?.type === "streaming") watching ??= watch(to);
    if (event?.type === "reseeded") reseeds += 1;
  };
  for (let killed = 0; killed < count; killed += 1) {
    const following = follow(between, onSaid);
    if (killed === Math.floor(count / 3)) await failOver(source, following);
    if (killed === Math.floor((2 * count) / 3)) await failOver(target, following);
    await sleep(Math.random() * MOST_MS);
    const { exitCode, errors } = await following.kill();
    if (exitCode !== null) report.check(false, `${name} goes on until it is killed${lines(errors)}`);
  }
  await moving.stop();
  const last = follow([...between, "--until-caught-up"], onSaid);
  const { exitCode, errors } = await last.ended;
  report.check(exitCode === 0, `${name} catches up${lines(errors)}`);
  const torn = await watching?.stop();
  report.check(torn === 0, `${name} shows no transaction in part (it was seen ${torn} times)`);
  report.check(conflicts.length === 0, `${name} does nothing twice: ${JSON.stringify(conflicts[0])}`);
  const equal = await report.call(`${name}: compare`, ["compare", ...between]);
  report.check(equal.exitCode === 0, `${name} is equal in the end, after ${count} kills`);
  console.log(`${name}: ${count} kills, a failover of each side, ${moving.count()} transactions, ${reseeds} reseeds`);
}

interface Said {
  /** Of what is no event there is none. */
  readonly event?: { readonly type: string };
}

const lines = (errors: readonly string[]): string => errors.map((line) => `\n  ${line}`).join("");

const poolOf = (cluster: LabCluster, system: System): FailoverPool =>
  createPool({ driver: system === "postgres" ? postgres() : mysql(), nodes: cluster.urls });

async function fill(from: FailoverPool, to: FailoverPool): Promise<void> {
  for (const pool of [from, to]) {
    for (const table of ["cash", "bank"])
      await pool.query(`CREATE TABLE ${table} (id int PRIMARY KEY, balance int NOT NULL)`);
    await pool.query("CREATE TABLE transfer (id varchar(40) PRIMARY KEY, account int NOT NULL)");
  }
  const rows = Array.from({ length: ACCOUNTS }, (_, index) => `(${index + 1}, 100)`).join(", ");
  for (const table of ["cash", "bank"]) await from.query(`INSERT INTO ${table} VALUES ${rows}`);
}

/** Moves money from one table to another, and notes each time it did; what a fault takes is tried no second time. */
function load(from: FailoverPool): { count(): number; stop(): Promise<void> } {
  let isMoving = true;
  let count = 0;
  const move = async (writer: number): Promise<void> => {
    for (let n = 0; isMoving; n += 1) {
      const id = ((n * 7 + writer) % ACCOUNTS) + 1;
      await from
        .transaction(async (transaction) => {
          await transaction.query(`UPDATE cash SET balance = balance - 1 WHERE id = ${id}`);
          await transaction.query(`UPDATE bank SET balance = balance + 1 WHERE id = ${id}`);
          await transaction.query(`INSERT INTO transfer VALUES ('${writer} ${n}', ${id})`);
          if (n % 10 === 9) await transaction.query(`DELETE FROM transfer WHERE id = '${writer} ${n - 5}'`);
        })
        .then(
          () => {
            count += 1;
          },
          () => {},
        );
      await sleep(2);
    }
  };
  const moving = Array.from({ length: WRITERS }, (_, writer) => move(writer));
  return {
    count: () => count,
    stop: async () => {
      isMoving = false;
      await Promise.all(moving);
    },
  };
}

/** Looks at the target all the time. */
function watch(to: FailoverPool): { stop(): Promise<number> } {
  let isWatching = true;
  let torn = 0;
  const watching = (async () => {
    const text = "SELECT (SELECT SUM(balance) FROM cash) + (SELECT SUM(balance) FROM bank) AS total";
    while (isWatching) {
      const total = await to.query<{ total: unknown }>(text, [], { consistency: "strong" }).then(
        ({ rows }) => Number(rows[0]?.total),
        () => SUM, // a failover is under way
      );
      if (total !== SUM) torn += 1;
      await sleep(5);
    }
  })();
  return {
    stop: async () => {
      isWatching = false;
      await watching;
      return torn;
    },
  };
}

/** Kills a primary whose mirror lacks what was written last, while the process streams. */
async function failOver(cluster: LabCluster, following: ReturnType<typeof follow>): Promise<void> {
  await following.streams;
  await sleep(Math.random() * 500);
  const [mirror] = cluster.mirrors();
  if (mirror === undefined) throw new Error("there is no mirror to fail over to");
  await mirror.replicate(false);
  await sleep(200);
  await cluster.primary().kill();
  await cluster.promote(mirror.name, { follow: false });
}

/** The command as it is published, in a process of its own. */
function follow(
  args: readonly string[],
  onSaid: (said: Said) => void,
): {
  /** Resolves as well when it has ended. */
  readonly streams: Promise<void>;
  readonly ended: Promise<{ readonly exitCode: number | null; readonly errors: readonly string[] }>;
  kill(): Promise<{ readonly exitCode: number | null; readonly errors: readonly string[] }>;
} {
  const child = spawn(process.execPath, [MAIN, "follow", ...args, "--json"], { stdio: ["ignore", "pipe", "pipe"] });
  const errors: string[] = [];
  let noteStream = (): void => {};
  const streams = new Promise<void>((resolve) => {
    noteStream = resolve;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = JSON.parse(line) as Said;
    onSaid(said);
    if (said.event?.type === "streaming") noteStream();
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (!line.startsWith('{"type":"progress"')) errors.push(line);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const ended = new Promise<{ exitCode: number | null; errors: readonly string[] }>((resolve, reject) => {
    child.once("error", reject).once("close", (exitCode) => {
      clearTimeout(timer);
      noteStream();
      resolve({ exitCode, errors });
    });
  });
  return {
    streams,
    ended,
    kill: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
}
