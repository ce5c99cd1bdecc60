/**
 * Run with a version of pg ("newest" or "oldest") and the URLs of a primary and its mirror: everything that the drop-in asks of
 * pg's inner life. Ends by itself: nothing is left open.
 */
import assert from "node:assert/strict";
import { createRequire, registerHooks } from "node:module";
import { pipeline } from "node:stream/promises";

const [version, ...nodes] = process.argv.slice(2);
const name = version === "oldest" ? "pg-oldest" : "pg";
// every import of "pg" is one of this version
registerHooks({ resolve: (specifier, context, next) => next(specifier === "pg" ? name : specifier, context) });
const { Client, createDropIn, Pool } = await import("@mirrorpool/pg");
const { default: pg } = await import("pg");
const { default: Cursor } = await import("pg-cursor");
const { default: QueryStream } = await import("pg-query-stream");
const { from: copyFrom, to: copyTo } = await import("pg-copy-streams");
console.log((createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string }).version);

const code = (error: unknown): unknown => (error as { readonly code?: unknown }).code;
const pool = new Pool({ mirrorpool: { nodes }, max: 3 });
assert(pool instanceof pg.Pool);
const unheard: unknown[] = [];
pool.on("error", (error) => unheard.push(error));

await pool.query("CREATE TABLE old (id int PRIMARY KEY)");
await pool.query({ name: "add", text: "INSERT INTO old VALUES ($1)", values: [1] });
assert.equal(await pool.query("INSERT INTO old VALUES (1)").catch(code), "23505");
assert.equal(((await pool.query("SELECT 1; SELECT 2")) as unknown as unknown[]).length, 2);

const client = await pool.connect();
assert(client instanceof pg.Client);
const seen: unknown[] = [];
client.on("notice", ({ message }) => seen.push(message));
client.on("notification", ({ payload }) => seen.push(payload));
await client.query("BEGIN");
assert.equal(client.getTransactionStatus(), "T");
assert.equal(await client.query("SELECT 1/0").catch(code), "22012");
assert.equal(client.getTransactionStatus(), "E");
await client.query("ROLLBACK");
assert.equal(client.getTransactionStatus(), "I");
await client.query("DO $$ BEGIN RAISE NOTICE 'noticed'; END $$");

const into = client.query(copyFrom("COPY old FROM STDIN"));
await pipeline(["2\n", "3\n"], into);
assert.equal(into.rowCount, 2);
const out: Buffer[] = [];
await pipeline(client.query(copyTo("COPY old TO STDOUT")), async (chunks: AsyncIterable<Buffer>) => {
  for await (const chunk of chunks) out.push(chunk);
});
assert.equal(Buffer.concat(out).toString(), "1\n2\n3\n");
const cursor = client.query(new Cursor("SELECT id FROM old ORDER BY id"));
assert.deepEqual(await cursor.read(2), [{ id: 1 }, { id: 2 }]);
await cursor.close();
const rows: unknown[] = [];
for await (const row of client.query(new QueryStream("SELECT id FROM old ORDER BY id"))) rows.push(row);
assert.deepEqual(rows, [{ id: 1 }, { id: 2 }, { id: 3 }]);
assert.equal(await client.query(new Cursor("SELECT nothing")).read(1).catch(code), "42703");
await client.query("LISTEN news");
await client.query("NOTIFY news, 'told'");
await client.query("SELECT 1");
assert.deepEqual(seen, ["noticed", "told"]);
client.release();

await new Promise<void>((resolve, reject) => {
  pool.connect((error, lent, release) => {
    if (error !== undefined || lent === undefined) return reject(error);
    lent.query("SELECT $1::int AS n", [7], (failure, result) => {
      release();
      if (failure) reject(failure);
      else resolve(assert.deepEqual(result.rows, [{ n: 7 }]));
    });
  });
});

const alone = new Client({ mirrorpool: { nodes } });
await alone.connect();
assert.deepEqual((await alone.query({ text: "SELECT 1", rowMode: "array" })).rows, [[1]]);
await alone.end();
assert.equal(createDropIn().Query, pg.Query);

assert(pool.totalCount <= 3);
await pool.end();
assert.deepEqual(unheard, []);
console.log("all is well");
