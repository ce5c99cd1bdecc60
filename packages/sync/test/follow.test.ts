import { setTimeout as sleep } from "node:timers/promises";
import { compare, type FollowEvent, type Following, follow, JobError } from "@mirrorpool/sync";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { contentOf, createPair, type Pair } from "./support.ts";

let pair: Pair;
let following: Following | undefined;
let events: FollowEvent[];

beforeAll(async () => {
  pair = await createPair({ sourceMirrors: 0, settings: { wal_level: "logical" } });
  await pair.source.primary().query("ALTER ROLE app REPLICATION");
});
beforeEach(async () => {
  events = [];
  await pair.clear();
  await pair.both(
    "CREATE TABLE account (id int PRIMARY KEY, balance numeric NOT NULL, note text)",
    "CREATE TABLE entry (a int, b text, amount int, big text, account int REFERENCES account ON DELETE CASCADE, PRIMARY KEY (a, b))",
  );
  await pair.from.query("INSERT INTO account SELECT n, 100, 'note ' || n FROM generate_series(1, 1000) n");
});
afterEach(async () => {
  await following?.remove();
  following = undefined;
});
afterAll(() => pair?.[Symbol.asyncDispose]());

async function start(options: Partial<Parameters<typeof follow>[0]> = {}): Promise<Following> {
  following = await follow({ from: pair.from, to: pair.to, onEvent: (event) => events.push(event), ...options });
  await following.caughtUp({ timeoutMs: 30_000 });
  return following;
}

async function expectEqual(): Promise<void> {
  await following?.caughtUp({ timeoutMs: 30_000 });
  for (const table of ["account", "entry"])
    expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
}

/** What following has ended with. */
async function failure(): Promise<JobError> {
  const late = sleep(20_000).then(() => "nothing");
  const error = await Promise.race([following?.ended, late]).then(
    (value) => value,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(JobError);
  return error as JobError;
}

test("what is changed after the copy follows: inserts, updates, deletes, keys, big values, truncates", async () => {
  await start();
  await expectEqual();
  await pair.from.query(
    `INSERT INTO entry SELECT n, 'b''"\\' || n, n, string_agg(md5(m::text), ''), n FROM generate_series(1, 100) n, generate_series(1, 300) m GROUP BY n`,
  );
  await pair.from.query("UPDATE entry SET amount = amount + 1"); // big values are left as they are
  await pair.from.query("UPDATE entry SET a = a + 1000, account = NULL WHERE a < 10");
  await pair.from.query("UPDATE account SET id = id + 5000 WHERE id > 990");
  await pair.from.query("UPDATE account SET note = NULL, balance = 'NaN' WHERE id = 7");
  await pair.from.query("DELETE FROM account WHERE id BETWEEN 50 AND 60"); // and their entries
  await pair.from.transaction(async (transaction) => {
    await transaction.query("INSERT INTO account VALUES (-1, 0, '')");
    await transaction.query("UPDATE account SET id = -2, note = 'twice' WHERE id = -1");
    await transaction.query("DELETE FROM account WHERE id = -2");
    await transaction.query("INSERT INTO account VALUES (-1, 1, '🐘')");
  });
  await expectEqual();
  await pair.from.query("TRUNCATE entry");
  await pair.from.query("INSERT INTO entry VALUES (1, 'after', 1, NULL, 1)");
  await expectEqual();
  expect(following?.stats()).toMatchObject({ state: "streaming", lagBytes: 0, lagMs: 0, conflicts: 0, reseeds: 0 });
  expect(events.map(({ type }) => type)).toEqual(["copied", "streaming"]);
  const slots = await pair.source.primary().query("SELECT failover FROM pg_replication_slots");
  expect(slots).toEqual([{ failover: true }]); // mirrors can keep it
});

test("writes go on during the copy: none is missed, none comes twice, transactions stay whole", async () => {
  let isMoving = true;
  const moving = Promise.all(
    [1, 2].map(async (writer) => {
      for (let n = 0; isMoving; n += 1) {
        await pair.from.transaction(async (transaction) => {
          const [one, other] = [((n * 7 + writer) % 500) * 2 + 1, ((n * 13 + writer) % 500) * 2 + 2];
          const [first, second] = [Math.min(one, other), Math.max(one, other)];
          await transaction.query("UPDATE account SET balance = balance - 1 WHERE id = $1", [first]);
          await transaction.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [second]);
          await transaction.query("INSERT INTO entry VALUES ($1, $2, 1, NULL, $1)", [first, `${writer} ${n}`]);
        });
      }
    }),
  );
  await start({ chunkBytes: 65_536 });
  let torn = 0;
  for (let looks = 0; looks < 100; looks += 1) {
    const { rows } = await pair.to.query("SELECT sum(balance)::int AS sum FROM account");
    if (rows[0]?.["sum"] !== 100_000) torn += 1;
    await sleep(5);
  }
  isMoving = false;
  await moving;
  await expectEqual();
  expect(torn).toBe(0);
  expect(following?.stats().transactions).toBeGreaterThan(10);
});

test("stopped and begun again it goes on where it was, whatever was changed meanwhile", async () => {
  const first = await start();
  await first.stop();
  await pair.from.query("UPDATE account SET balance = 1 WHERE id <= 10");
  await pair.from.query("DELETE FROM account WHERE id = 11");
  await start();
  await expectEqual();
  expect(events.filter(({ type }) => type === "copied")).toHaveLength(1);
  expect(following?.stats().transactions).toBe(2);
});

test("connections that break cost nothing but time", async () => {
  await start();
  for (let n = 0; n < 5; n += 1) {
    await pair.source.primary().query("UPDATE account SET balance = balance + 1 WHERE id = $1", [n + 1]);
    for (const node of [...pair.source.nodes, ...pair.target.nodes]) node.proxy.dropConnections();
    await pair.source.primary().query("INSERT INTO entry VALUES ($1, 'x', 0, NULL, 1)", [n]);
    await sleep(100);
  }
  await expectEqual();
  expect(following?.stats().interruptions).toBeGreaterThan(0);
});

test("a transaction that is bigger than what is held in memory arrives whole", async () => {
  await start({ maxBatchBytes: 65_536, batchChanges: 100 });
  await pair.from.query("INSERT INTO entry SELECT n, 'big', n, repeat('x', 200), 1 FROM generate_series(1, 20000) n");
  await expectEqual();
  expect(following?.stats()).toMatchObject({ transactions: 1, changes: 20_000 });
});

test("another column on the source stops it, says so, and it goes on once the target has it", async () => {
  await start();
  await pair.from.query("ALTER TABLE account ADD COLUMN mood text");
  await pair.from.query("UPDATE account SET mood = 'glad' WHERE id = 1");
  const { code, message } = await failure();
  expect(code).toBe("DDL_ON_SOURCE");
  expect(message).toContain("public.account: the source has a column mood, and the target has none");
  expect(following?.stats().state).toBe("failed");
  await pair.to.query("ALTER TABLE account ADD COLUMN mood text");
  await start();
  await expectEqual();
});

test("a row of the target that is not the source's is a conflict, told with both rows", async () => {
  await start();
  await pair.to.query("INSERT INTO account VALUES (2000, 7, 'mine')");
  await pair.from.query("INSERT INTO account VALUES (2000, 8, 'theirs')");
  const { code, conflict, message } = await failure();
  expect(code).toBe("CONFLICT");
  expect(conflict).toEqual({
    table: "public.account",
    change: "insert",
    key: ["2000"],
    source: { id: "2000", balance: "8", note: "theirs" },
    target: { id: "2000", balance: "7", note: "mine" },
  });
  expect(message).not.toContain("theirs");
  await start({ onConflict: "source-wins" });
  await expectEqual();
  expect(events.filter(({ type }) => type === "conflict")).toHaveLength(2);
});

test("a target that has most rows already is made equal by what differs", async () => {
  await pair.to.query("INSERT INTO account SELECT n, 100, 'note ' || n FROM generate_series(1, 990) n");
  await pair.to.query("UPDATE account SET balance = 5 WHERE id = 5");
  await start({ begin: "compare" });
  await expectEqual();
  expect(events[0]).toMatchObject({ type: "reseeded", rows: 11, isWhole: true });
});

test("changes that the source has thrown away are found by comparison", async () => {
  const first = await start();
  await first.stop();
  await pair.from.query("UPDATE account SET balance = 3 WHERE id = 3");
  await pair.source.primary().query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
  await pair.from.query("DELETE FROM account WHERE id = 4");
  await start();
  await expectEqual();
  expect(events).toContainEqual(expect.objectContaining({ type: "reseeded", rows: 2, isWhole: true }));
});

test("what cannot be followed is refused, with all reasons", async () => {
  await pair.both("CREATE TABLE bag (n int)", "CREATE TABLE nothing (id int PRIMARY KEY)");
  await pair.from.query("ALTER TABLE nothing REPLICA IDENTITY NOTHING");
  await pair.to.query("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$");
  await pair.to.query("CREATE TRIGGER again BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION f()");
  const error = await follow({ from: pair.from, to: pair.to }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect((error as JobError).refusals.map(({ table }) => table).sort()).toEqual([
    "public.account",
    "public.bag",
    "public.nothing",
  ]);
});

test("sequences are set when that is asked for; nothing is left behind on the source", async () => {
  await pair.both("CREATE TABLE numbered (id serial PRIMARY KEY)");
  await start();
  await pair.from.query("INSERT INTO numbered SELECT FROM generate_series(1, 10)");
  await following?.caughtUp({ timeoutMs: 30_000 });
  expect(await following?.setSequences()).toBe(1);
  await following?.remove();
  expect((await pair.to.query("INSERT INTO numbered DEFAULT VALUES RETURNING id")).rows).toEqual([{ id: 11 }]);
  expect(await pair.source.primary().query("SELECT FROM pg_replication_slots")).toEqual([]);
  expect(await pair.source.primary().query("SELECT FROM pg_publication")).toEqual([]);
  expect(await compare({ from: pair.from, to: pair.to, tables: ["account"] })).toMatchObject({ isEqual: true });
});
