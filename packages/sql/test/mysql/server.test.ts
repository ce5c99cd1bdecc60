import { createCluster, type LabCluster, type ServerKind } from "@mirrorpool/lab";
import fc from "fast-check";
import { type Connection, createConnection, type ResultSetHeader } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inspect, type ServerOptions } from "../../src/index.ts";
import { READ_FUNCTIONS } from "../../src/mysql/functions.ts";
import { search } from "../search.ts";
import { queries, strays } from "./pieces.ts";

let cluster: LabCluster;
/** Its session is read-only, as those of a pool are on a mirror. */
let reader: Connection;
/** Holds a lock on every row, so that nobody else gets one. */
let holder: Connection;

async function open(server: ServerKind): Promise<void> {
  cluster = await createCluster({ server, mirrors: 0, settings: { log_bin_trust_function_creators: "1" } });
  const uri = cluster.primary().url;
  holder = await createConnection({ uri, multipleStatements: true });
  await holder.query(`
    CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(20), c int, FULLTEXT (b));
    CREATE TABLE u (id int PRIMARY KEY, a int, b varchar(20), c int);
    CREATE TABLE log (a int);
    INSERT INTO t VALUES (1, 2, 'x', 3), (2, 3, 'y', 4);
    INSERT INTO u SELECT * FROM t;
  `);
  if (server === "mariadb") await holder.query("CREATE SEQUENCE s");
  for (const name of TRAPS) {
    await holder.query(`
      CREATE FUNCTION \`${name}\`(x int) RETURNS int DETERMINISTIC MODIFIES SQL DATA
      BEGIN SET @hit = 1; INSERT INTO log VALUES (x); RETURN x; END
    `);
  }
  await holder.query("BEGIN; SELECT * FROM t FOR UPDATE; SELECT * FROM u FOR UPDATE");
  // without IGNORE_SPACE, which mysql2 asks for, a name behind space may be a function of the user
  reader = await createConnection({ uri, multipleStatements: true, flags: ["-IGNORE_SPACE"] });
  await reader.query("SET SESSION TRANSACTION READ ONLY");
  await reader.query(LIMITS[server as keyof typeof LIMITS]);
}

/** No statement waits for a lock, or takes long. */
const LIMITS = {
  mariadb: "SET innodb_lock_wait_timeout = 0, lock_wait_timeout = 1, max_statement_time = 2",
  mysql: "SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1, max_execution_time = 2000",
};

async function close(): Promise<void> {
  reader?.destroy();
  holder?.destroy();
  await cluster?.close();
}

/** Functions of the user with names that a reader by tokens might take for something else. */
const TRAPS = [
  ...[
    "f",
    "now",
    "count",
    "lower",
    "rollup",
    "lateral",
    "of",
    "row",
    "member",
    "against",
    "offset",
    "any",
    "some",
    "cube",
  ],
  ...["columns", "sets", "filter", "json_table", "partitions", "window", "language", "analyse", "sequence", "t", "x"],
];

const MODES: readonly (ServerOptions & { readonly sqlMode: string })[] = [
  { sqlMode: "" },
  { sqlMode: "ANSI_QUOTES" },
  { sqlMode: "NO_BACKSLASH_ESCAPES" },
  { sqlMode: "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,IGNORE_SPACE" },
];

const CLEAN = { a: null, hit: null, lock: null, id: 0 };

/** In the server's status (MySQL manual, `SERVER_STATUS_flags_enum`). */
const IN_TRANSACTION = 1;

/** Runs a text that was called a read, and tells what it did that no read does. */
async function whatItDid(sql: string): Promise<string | undefined> {
  const error = await reader.query(sql).then(
    () => undefined,
    (thrown: { errno?: number; message: string }) => thrown,
  );
  const [[state]] = (await reader.query(
    "SELECT @a a, @hit hit, IS_USED_LOCK('l') `lock`, LAST_INSERT_ID() id",
  )) as unknown as [[typeof CLEAN]];
  if (JSON.stringify(state) !== JSON.stringify(CLEAN)) return `left ${JSON.stringify(state)}`;
  const [{ serverStatus }] = await reader.query<ResultSetHeader>("DO 0");
  if ((serverStatus & IN_TRANSACTION) !== 0) return "left a transaction open";
  if (error?.errno === undefined || !REFUSALS.has(error.errno)) return undefined;
  const missing = /FUNCTION \w+\.(\w+) does not exist/.exec(error.message)?.[1]?.toLowerCase();
  return missing !== undefined && READ_FUNCTIONS.has(missing) ? undefined : error.message;
}

/** Read-only, lock wait, no such function, a function's arguments. */
const REFUSALS: ReadonlySet<number> = new Set([1792, 1290, 1205, 1305, 1318]);

const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...strays) },
  { weight: 1, arbitrary: fc.constantFrom("1", "t", "a", "from", "select", ",", "(", ")") },
);
const space = fc.constantFrom(" ", " ", " ", "", "\n", "/**/");
const changed = fc
  .tuple(
    fc.constantFrom(...queries),
    fc.array(fc.tuple(fc.nat(), fc.constantFrom("drop", "insert", "insert", "replace"), piece, space), {
      minLength: 0,
      maxLength: 3,
    }),
  )
  .map(([query, changes]) => {
    const tokens = query.match(/'[^']*'|"[^"]*"|`[^`]*`|@?\w+|\s+|[^\s\w]/g) ?? [];
    for (const [seed, kind, stray, gap] of changes) {
      const at = seed % (tokens.length + 1);
      tokens.splice(at, kind === "insert" ? 0 : 1, ...(kind === "drop" ? [] : [gap + stray + gap]));
    }
    return tokens.join("");
  });

/** What MySQL does not take. */
const OF_MARIADB: ReadonlySet<string> = new Set(["VALUES (1, 2), (3, 4)"]);

describe.each([
  { server: "mariadb", runs: 2_000 },
  { server: "mysql", runs: 500 },
] as const)("on $server", ({ server, runs }) => {
  beforeAll(() => open(server), 120_000);
  afterAll(close);

  describe.each([{ sqlMode: undefined }, ...MODES])("in the mode $sqlMode", ({ sqlMode }) => {
    const numRuns = sqlMode === undefined ? 2 * runs : runs;

    test("what is called a read is none that the server refuses as a write, and leaves nothing in the session", async () => {
      const count = { reads: 0, taken: 0 };
      await fc.assert(
        fc.asyncProperty(changed, fc.constantFrom(...MODES), async (sql, any) => {
          if (inspect(sql, "mysql", { sqlMode }).intent !== "read") return;
          count.reads += 1;
          await reader.query(`SET sql_mode = '${sqlMode ?? any.sqlMode}'`);
          const did = await whatItDid(sql);
          if (did !== undefined) await reader.query("SET @a = NULL, @hit = NULL; DO RELEASE_ALL_LOCKS(); ROLLBACK");
          expect(did, sql).toBeUndefined();
          count.taken += 1;
        }),
        search(numRuns),
      );
      expect(count.taken).toBeGreaterThan(numRuns / 20);
    });
  });

  test("the queries from which the others are made are taken by the server, and are reads", async () => {
    await reader.query("SET sql_mode = ''");
    for (const sql of queries) {
      expect(inspect(sql, "mysql").intent, sql).toBe("read");
      if (server === "mysql" && OF_MARIADB.has(sql)) await expect(reader.query(sql)).rejects.toThrow("syntax");
      else await reader.query(sql);
    }
  });
});
