import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { finished } from "node:stream/promises";
import type { FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { createPool } from "@mirrorpool/mysql2";
import type { Pool } from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openCore, prepare, rejection } from "./support.ts";

/** What an application gives for a file is its own: no fault of it is one of the server. */
describe("LOAD DATA LOCAL", () => {
  let cluster: LabCluster;
  let core: FailoverPool;
  let pool: Pool;

  beforeAll(async () => {
    cluster = await createCluster({ server: "mariadb", mirrors: 0, settings: { local_infile: "ON" } });
    await prepare(cluster, "CREATE TABLE line (id int PRIMARY KEY)");
    core = openCore(cluster);
    pool = createPool({ mirrorpool: core }).promise();
  });
  beforeEach(() => pool.query("DELETE FROM line"));
  afterAll(async () => {
    await core?.close();
    await cluster?.close();
  });

  const load = (infileStreamFactory: () => unknown): Promise<unknown> =>
    pool.query({ sql: "LOAD DATA LOCAL INFILE 'x' INTO TABLE line", infileStreamFactory } as never);
  const count = async (): Promise<unknown> => (await pool.query("SELECT id FROM line ORDER BY id"))[0];

  test.each<[string, () => unknown, string]>([
    ["is not there", () => createReadStream("/nowhere/at/all"), "ENOENT"],
    ["cannot be opened", () => JSON.parse("{"), "Unexpected|Expected"],
    ["is none", () => undefined, "ERR_INVALID_ARG_TYPE"],
    ["gives what is no text", () => Readable.from([{ id: 1 }]), "ERR_INVALID_ARG_TYPE"],
    ["loses its own connection", () => failing("ECONNRESET"), "ECONNRESET"],
    ["is closed before its end", () => closing(), "closed before its end"],
    ["was closed already", () => new Readable().destroy(), "closed before it was read"],
  ])("a file that %s is the statement's error, and costs no connection", async (_, open, pattern) => {
    const { closed } = statsOf(core);
    const error = await rejection(load(open));
    expect(`${error.code ?? ""} ${error.message}`).toMatch(new RegExp(pattern));
    expect(core.topology().nodes).toMatchObject([{ status: "up" }]);
    expect(statsOf(core).closed).toBe(closed);
    expect(await count()).toEqual([]);
  });

  test("files that fail leave no listeners on their connection", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    for (let count = 0; count < 12; count += 1) {
      await rejection(load(() => createReadStream("/nowhere/at/all")));
    }
    await new Promise(setImmediate);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  test("text is taken as well as bytes", async () => {
    await load(() => Readable.from(["1\n2\n", Buffer.from("3\n")]));
    expect(await count()).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  test("a file is read piece by piece, as the server takes them", async () => {
    const folder = mkdtempSync(join(tmpdir(), "mirrorpool-load-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const rows = 200_000; // several times what sockets hold
    writeFileSync(join(folder, "lines"), Array.from({ length: rows }, (_, row) => `${row}\n`).join(""));
    await load(() => createReadStream(join(folder, "lines")));
    const [rowsThere] = await pool.query("SELECT COUNT(*) AS count, SUM(id) AS sum FROM line");
    expect(rowsThere).toEqual([{ count: rows, sum: String((rows * (rows - 1)) / 2) }]);
  });

  test("a stream that has ended is an empty file", async () => {
    const bytes = new PassThrough();
    bytes.end();
    await finished(bytes.resume());
    await load(() => bytes);
    expect(await count()).toEqual([]);
  });

  test("a file that is not there leaves the transaction open", async () => {
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    await connection.query("INSERT INTO line VALUES (4)");
    const sql = "LOAD DATA LOCAL INFILE 'x' INTO TABLE line";
    const missing = { sql, infileStreamFactory: () => createReadStream("/nowhere/at/all") };
    expect(await rejection(connection.query(missing as never))).toMatchObject({ code: "ENOENT" });
    await connection.query("INSERT INTO line VALUES (5)");
    await connection.commit();
    connection.release();
    expect(await count()).toEqual([{ id: 4 }, { id: 5 }]);
  });

  test("on the failover pool itself it is the same", async () => {
    const statement = { text: "LOAD DATA LOCAL INFILE 'x' INTO TABLE line" };
    const missing = { ...statement, infileStreamFactory: () => createReadStream("/nowhere/at/all") };
    expect(await rejection(core.query(missing))).toMatchObject({ code: "ENOENT" });
    expect((await core.query({ ...statement, infileStreamFactory: () => Readable.from(["6\n"]) })).rowCount).toBe(1);
  });
});

const closing = (): Readable =>
  new Readable({
    read() {
      setImmediate(() => this.destroy());
    },
  });

const failing = (code: string): Readable =>
  new Readable({
    read() {
      this.destroy(Object.assign(new Error("of the application"), { code }));
    },
  });

const statsOf = (core: FailoverPool): { readonly closed: number } =>
  Object.values(core.stats().nodes)[0] as { readonly closed: number }; // there is one
