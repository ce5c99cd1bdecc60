import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ServerKind } from "@mirrorpool/lab";
import { compare, copy, type Unit, type UnitOutcome } from "@mirrorpool/sync";
import { afterEach, expect, test } from "vitest";
import { openPlace, type Place } from "./support.ts";

const places: Place[] = [];
let fleet: Fleet | undefined;

afterEach(async () => {
  await fleet?.close();
  fleet = undefined;
  await Promise.all(places.splice(0).map((each) => each[Symbol.asyncDispose]()));
});

/** Processes that do units; what one had when it was killed another one is given. */
class Fleet {
  readonly #processes: ChildProcess[];
  readonly done = new Map<ChildProcess, number>();
  /** Units that a worker has died over. */
  lost = 0;
  #next = 0;

  constructor(from: Place, to: Place, size: number) {
    const nodesOf = ({ cluster }: Place): string =>
      JSON.stringify(cluster.nodes.map(({ name, url }) => ({ name, url })));
    const env = { ...process.env, FROM: nodesOf(from), TO: nodesOf(to) };
    const child = join(import.meta.dirname, "../children/worker.ts");
    this.#processes = Array.from({ length: size }, () =>
      fork(child, [], { env, execArgv: ["--conditions=mirrorpool-source"] }),
    );
    for (const each of this.#processes) this.done.set(each, 0);
  }

  readonly delegate = async (unit: Unit): Promise<UnitOutcome> => {
    for (;;) {
      const living = this.#processes.filter(({ connected }) => connected);
      this.#next += 1;
      const worker = living[this.#next % living.length] as ChildProcess;
      const outcome = await ask(worker, this.#next, unit);
      if (outcome === undefined) {
        this.lost += 1;
        continue;
      }
      this.done.set(worker, (this.done.get(worker) ?? 0) + 1);
      return outcome;
    }
  };

  kill(): void {
    this.#processes[0]?.kill("SIGKILL");
  }

  async close(): Promise<void> {
    const ends = this.#processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(
      ends.map(async (worker) => {
        const ended = once(worker, "exit");
        worker.disconnect();
        await ended;
      }),
    );
  }
}

/** Undefined: the worker has died over it. */
function ask(worker: ChildProcess, id: number, unit: Unit): Promise<UnitOutcome | undefined> {
  return new Promise((resolve) => {
    const end = (outcome: UnitOutcome | undefined): void => {
      worker.off("message", onMessage).off("exit", onExit);
      resolve(outcome);
    };
    const onMessage = (answer: unknown): void => {
      const given = answer as { id: number; outcome: UnitOutcome };
      if (given.id === id) end(given.outcome);
    };
    const onExit = (): void => end(undefined);
    worker.on("message", onMessage).on("exit", onExit);
    if (worker.connected) worker.send({ id, unit }, (error) => error && end(undefined));
    else end(undefined);
  });
}

const ROWS = 16_384;

async function open(from: ServerKind, to: ServerKind): Promise<{ source: Place; target: Place }> {
  const [source, target] = await Promise.all([openPlace(from), openPlace(to)]);
  places.push(source, target);
  await source.run(
    "CREATE TABLE t (id int PRIMARY KEY, price decimal(10,2), body varchar(100))",
    "CREATE TABLE keyless (n int)",
    "INSERT INTO t VALUES (1, 1.5, 'x')",
  );
  for (let rows = 1; rows < ROWS; rows *= 2)
    await source.run(`INSERT INTO t SELECT id + ${rows}, id * 1.01, REPEAT('x', id % 100) FROM t`);
  const analyze = from === "postgres" ? "ANALYZE" : "ANALYZE TABLE t, keyless";
  await source.run("INSERT INTO keyless SELECT id % 7 FROM t WHERE id <= 5000", analyze);
  fleet = new Fleet(source, target, 3);
  return { source, target };
}

test.each([
  { from: "postgres", to: "mariadb" },
  { from: "mariadb", to: "postgres" },
  { from: "mariadb", to: "mariadb" },
] as const)(
  "three workers share a copy from $from to $to while the source goes on, one is killed, and the end is one view of the source",
  async ({ from, to }) => {
    const { source, target } = await open(from, to);
    const job = { from: source.pool, to: target.pool, chunkBytes: 65_536, connections: 8, delegate: fleet?.delegate };
    let writing: Promise<void> | undefined;
    const given = from === to ? {} : { createTables: true };
    if (from === to)
      await target.run(
        "CREATE TABLE t (id int PRIMARY KEY, price decimal(10,2), body varchar(100))",
        "CREATE TABLE keyless (n int)",
      );
    const report = await copy({
      ...job,
      ...given,
      delegate: async (unit) => {
        // what workers see who come after this is another moment than the leader's: each transaction changes all of t's ends
        writing ??= source.run("UPDATE t SET price = price + 1 WHERE id % 1000 = 1", "INSERT INTO keyless VALUES (99)");
        await writing;
        return (fleet as Fleet).delegate(unit);
      },
      onProgress: ({ chunks: { done } }) => {
        if (done >= 2) fleet?.kill();
      },
    });
    // what the killed one has written without saying so is there, and counts as kept: of the units that it had no more can be
    expect(report.chunks.kept).toBeLessThanOrEqual((fleet as Fleet).lost);
    expect([...(fleet as Fleet).done.values()].filter((count) => count > 0).length).toBeGreaterThan(1);
    // of the leader's view, which was before: nothing of what came then, be it in one chunk
    const { rows } = await target.pool.query("SELECT count(*) AS n FROM keyless WHERE n = 99");
    expect(Number((rows[0] as { n: unknown }).n)).toBe(0);
    const again = await copy({ from: source.pool, to: target.pool, into: "compare", chunkBytes: 65_536 });
    expect(again.chunks.redone).toBeGreaterThan(0);
    await target.run("UPDATE t SET body = 'other' WHERE id = 4711", "DELETE FROM t WHERE id = 13");
    const compared = await compare({ ...job, delegate: (fleet as Fleet).delegate, recheckMs: 100 });
    expect(compared.differences.map(({ key, what }) => [key?.[0], what]).sort()).toEqual([
      ["13", "missing"],
      ["4711", "different"],
    ]);
  },
  120_000,
);
