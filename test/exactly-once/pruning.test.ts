import { createPool, type Environment, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { until } from "../failover/support/until.ts";
import { makeLedger } from "./support.ts";

const TABLE = "mirrorpool_ledger";
const HOUR_MS = 3_600_000;

const { ledger } = postgres();

let cluster: LabCluster;
let pool: FailoverPool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
  await makeLedger(cluster);
});
beforeEach(async () => {
  pool = createPool({ driver: postgres(), nodes: cluster.urls });
  await pool.query(`DELETE FROM ${TABLE}`);
});
afterEach(() => pool.close());
afterAll(() => cluster?.close());

const prune = () => ledger?.prune(TABLE, HOUR_MS) ?? { text: "" };

async function addTokens(count: number, age: string): Promise<void> {
  const values = "SELECT gen_random_uuid(), clock_timestamp() - $2::interval FROM generate_series(1, $1::int)";
  await pool.query(`INSERT INTO ${TABLE} (token, created_at) ${values}`, [count, age]);
}

async function countTokens(): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${TABLE}`);
  return rows[0]?.count ?? -1;
}

test("old tokens go in batches, and those that may still be asked for stay", async () => {
  await addTokens(2_500, "61 minutes");
  await addTokens(10, "59 minutes");
  const batches: (number | null)[] = [];
  for (let round = 0; round < 4; round += 1) batches.push((await pool.query(prune())).rowCount);
  expect(batches).toEqual([1_000, 1_000, 500, 0]);
  expect(await countTokens()).toBe(10);
});

test("one process prunes at a time, and nobody waits for it", async () => {
  await addTokens(1_500, "2 hours");
  await using first = await pool.connect();
  await using second = await pool.connect();
  await first.query("BEGIN");
  expect((await first.query(prune())).rowCount).toBe(1_000);
  expect((await second.query(prune())).rowCount).toBe(0);
  await first.query("COMMIT");
  expect((await second.query(prune())).rowCount).toBe(500);
});

/** The system's own time, that can be moved on. */
function movableTime(): Environment & { skip(ms: number): void } {
  let skippedMs = 0;
  return {
    now: () => performance.now() + skippedMs,
    schedule: (delayMs, callback, isReferenced) => {
      const timer = setTimeout(callback, delayMs);
      const setRef = (isOn: boolean): void => void (isOn ? timer.ref() : timer.unref());
      setRef(isReferenced);
      return { cancel: () => clearTimeout(timer), setRef };
    },
    random: Math.random,
    newToken: () => crypto.randomUUID(),
    skip: (ms) => {
      skippedMs += ms;
    },
  };
}

/** A pool that keeps the ledger, some minutes old: its first round of pruning is due. */
async function openKeeper(): Promise<FailoverPool & { readonly due: () => void }> {
  const time = movableTime();
  const keeper = createPool({ driver: postgres(), nodes: cluster.urls, exactlyOnce: true }, time);
  await keeper.start();
  return Object.assign(Object.create(keeper), { due: () => time.skip(5 * 60_000) });
}

test("a pool removes old tokens by itself, within some minutes", async () => {
  await addTokens(1_200, "2 hours");
  await using keeper = await openKeeper();
  await until("the old tokens to go", async () => {
    keeper.due();
    return (await countTokens()) === 0;
  });
});

test("a pool that may not remove old tokens says so", async () => {
  const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    const user = new URL(cluster.urls[0] ?? "").username;
    await addTokens(10, "2 hours");
    await cluster.primary().query(`ALTER TABLE ${TABLE} OWNER TO CURRENT_USER`);
    await cluster.primary().query(`GRANT SELECT, INSERT, UPDATE ON ${TABLE} TO "${user}"`);
    await using keeper = await openKeeper();
    await until("the warning", () => {
      keeper.due();
      return warnings.mock.calls.length > 0;
    });
    expect(String(warnings.mock.calls[0]?.[0])).toMatch(/old tokens cannot be removed .* permission denied/);
  } finally {
    warnings.mockRestore();
  }
});
