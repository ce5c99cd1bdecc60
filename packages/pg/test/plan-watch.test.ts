import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { KeptPlan, PlanWatch } from "../src/plan-watch.ts";

let cluster: LabCluster;
let pool: FailoverPool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
  await cluster.primary().query(`
    CREATE TABLE task (id int PRIMARY KEY, status text NOT NULL, note text NOT NULL);
    INSERT INTO task SELECT id, CASE WHEN id > 199960 THEN 'open' ELSE 'done' END, repeat('x', 100)
      FROM generate_series(1, 200000) AS id;
    CREATE INDEX ON task (status);
    ANALYZE task;
    GRANT ALL ON task TO app`);
});
afterAll(() => cluster?.close());
beforeEach(() => {
  // one connection, so that its own record of plans can be looked at
  pool = createPool({ driver: postgres(), nodes: cluster.urls, pool: { max: 1, shareReads: false } });
  return () => pool.close();
});

/** How often the server has run the text with the plan that it keeps; undefined where it is not prepared. */
async function genericRuns(text: string): Promise<number | undefined> {
  const { rows } = await pool.query<{ generic_plans: string }>(
    "SELECT generic_plans FROM pg_prepared_statements WHERE statement = $1",
    [text],
  );
  return rows[0] === undefined ? undefined : Number(rows[0].generic_plans);
}

const ROUND = 30;

/**
 * Has a text prepared with a value for which any plan will do, and then runs it with another one, until a whole round was made
 * without the plan that the server keeps.
 */
async function runUntilPlain(text: string): Promise<void> {
  // all that the server sees at first is the value that most rows have: to walk along the ids finds one at once
  for (let run = 0; run < 9; run += 1) await pool.query(text, ["done"]);
  let before = -1;
  for (let round = 0; round < 30; round += 1) {
    for (let run = 0; run < ROUND; run += 1) {
      expect((await pool.query(text, ["open"])).rows).toMatchObject([{ id: 199_961 }]);
    }
    const after = await genericRuns(text);
    if (round === 0) expect(after).toBeGreaterThan(0); // else there is nothing to find out
    if (after === before) return;
    before = after ?? before;
  }
  throw new Error("the server's plan was used again and again");
}

test("a text whose kept plan is far slower than one of its own for each run is not prepared any more", async () => {
  const text = "SELECT id FROM task WHERE status = $1 ORDER BY id LIMIT 1";
  await runUntilPlain(text);
  const before = await genericRuns(text);
  for (let run = 0; run < 300; run += 1) await pool.query(text, ["open"]);
  expect(await genericRuns(text)).toBe(before);
});

test("another connection to the same node does not prepare it either", async () => {
  const text = "SELECT id, note FROM task WHERE status = $1 ORDER BY id LIMIT 1";
  await runUntilPlain(text);
  await cluster.primary().terminateBackends();
  for (let run = 0; run < ROUND; run += 1) await pool.query(text, ["open"]);
  expect(await genericRuns(text)).toBeUndefined();
});

test("a text whose kept plan is as good stays prepared", async () => {
  const text = "SELECT note FROM task WHERE id = $1";
  for (let run = 0; run < 300; run += 1) await pool.query(text, [run]);
  const before = (await genericRuns(text)) ?? 0;
  for (let run = 0; run < 20; run += 1) await pool.query(text, [run]);
  expect(await genericRuns(text)).toBeGreaterThan(before);
});

test("a plan that has proved itself is tried again later, ever more seldom", () => {
  const plan = new KeptPlan();
  const trials: number[] = [];
  for (let run = 0; run < 3000; run += 1) {
    if (plan.isOnTrial && trials.at(-1) !== run - 1) trials.push(run);
    else if (plan.isOnTrial) trials[trials.length - 1] = run;
    plan.note(run % 2 === 0 ? "prepared" : "plain", 1);
  }
  const rests = trials.map((end, index) => end - (trials[index - 1] ?? 0)).slice(1);
  expect(rests.every((rest, index) => index === 0 || rest > (rests[index - 1] as number))).toBe(true);
  expect(trials.length).toBeGreaterThan(3);
});

test("no more texts are remembered than there is room for", () => {
  const watch = new PlanWatch();
  const first = watch.planOf("first");
  for (let index = 0; index < 999; index += 1) watch.planOf(`text ${index}`);
  expect(watch.planOf("first")).toBe(first);
  for (let index = 0; index < 1000; index += 1) watch.planOf(`other ${index}`);
  expect(watch.planOf("first")).not.toBe(first);
});
