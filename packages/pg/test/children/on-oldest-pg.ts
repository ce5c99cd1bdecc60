/** Run with the URLs of a primary and its mirror: the driver on pg 8.16.3, statement by statement. */
import assert from "node:assert/strict";
import { createRequire, registerHooks } from "node:module";

// every import of "pg" is one of the oldest supported version
registerHooks({ resolve: (specifier, context, next) => next(specifier === "pg" ? "pg-oldest" : specifier, context) });
const { createPool } = await import("@mirrorpool/core");
const { postgres } = await import("@mirrorpool/pg");
console.log((createRequire(import.meta.url)("pg-oldest/package.json") as { readonly version: string }).version);

const pool = createPool({ driver: postgres(), nodes: process.argv.slice(2) });
await pool.query("CREATE TABLE old (id int PRIMARY KEY)");
await pool.query("INSERT INTO old VALUES ($1)", [1]);
assert.deepEqual((await pool.query("SELECT id FROM old")).rows, [{ id: 1 }]);
await pool.transaction(async (transaction) => {
  await transaction.query("INSERT INTO old VALUES (2)");
});
const code = (error: unknown): unknown => (error as { readonly code?: unknown }).code;
assert.equal(await pool.query("INSERT INTO old VALUES (1)").catch(code), "23505");
const aborted = pool.transaction(async (transaction) => {
  await transaction.query("INSERT INTO old VALUES (3)");
  await transaction.query("SELECT 1/0").catch(() => {});
});
assert.equal(await aborted.catch(code), "TRANSACTION_ABORTED");
// where a cancel comes too late, what it was meant for ends by itself before others have waited too long for its locks
assert.equal(await pool.query("SELECT pg_sleep(10)", [], { timeoutMs: 50 }).catch(code), "DEADLINE");
assert.equal(
  await pool.query("INSERT INTO old SELECT 4 FROM pg_sleep(10)", [], { timeoutMs: 50 }).catch(code),
  "COMMIT_UNKNOWN",
);
assert.equal((await pool.query("SELECT 1; SELECT 2 AS two")).results?.length, 2);
assert.deepEqual((await pool.query("SELECT count(*)::int FROM old")).rows, [{ count: 2 }]);

const byId = "SELECT * FROM old WHERE id = $1";
const prepared = "SELECT statement FROM pg_prepared_statements; SELECT 1";
const session = await pool.connect();
await session.query("UPDATE old SET id = id WHERE id = 1");
for (let index = 0; index < 8; index += 1) assert.deepEqual((await session.query(byId, [1])).rows, [{ id: 1 }]);
assert.deepEqual(
  (await session.query(prepared)).results?.[0]?.rows.filter(({ statement }) => statement === byId),
  [{ statement: byId }],
);
await pool.query("ALTER TABLE old ADD COLUMN added int DEFAULT 7");
assert.deepEqual((await session.query(byId, [1])).rows, [{ id: 1, added: 7 }]);
assert.deepEqual((await session.query(byId, [1])).rows, [{ id: 1, added: 7 }]);
session.release();
await pool.close();
console.log("all is well");
