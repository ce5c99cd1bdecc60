import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Called, call, lines, newFolder } from "./support.ts";

let cluster: LabCluster;
let scratch: LabCluster;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  [cluster, scratch] = await Promise.all([
    createCluster({ mirrors: 1, password: "s3cr3t-of-app", settings: { wal_level: "logical" } }),
    createCluster({ mirrors: 0, password: "s3cr3t-of-app" }),
  ]);
  environment = { MIRRORPOOL_URLS: cluster.urls.join(",") };
  for (const each of [cluster, scratch]) {
    await using pool = createPool({ driver: postgres(), nodes: [...each.urls] });
    await pool.query("CREATE TABLE item (id int PRIMARY KEY, name text)");
  }
  await using pool = createPool({ driver: postgres(), nodes: [...cluster.urls] });
  await pool.query("INSERT INTO item SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 60000) AS i");
  await cluster.caughtUp();
});
afterEach(async () => {
  const [mirror] = cluster.mirrors();
  if (mirror !== undefined && !mirror.isRunning) await mirror.start();
});
afterAll(async () => {
  await cluster?.close();
  await scratch?.close();
});

const everything = ({ stdout, stderr }: Called): string => stdout + stderr;

test("status shows roles and lag, and its exit code tells of a node that is missing and of a cluster that is", async () => {
  const fine = await call(["status", "--json"], { environment });
  expect(fine.exitCode).toBe(0);
  expect(lines(fine.stdout)).toMatchObject([
    { type: "result", isWritable: true, nodes: [{ role: "primary" }, { role: "mirror", lagBytes: 0 }] },
  ]);
  const text = await call(["status"], { environment });
  expect(text.stdout).toContain("takes writes");
  await cluster.mirrors()[0]?.kill();
  expect(await call(["status"], { environment })).toMatchObject({
    exitCode: 3,
    stdout: expect.stringContaining("down"),
  });
  const gone = "postgres://app:hidden-one@127.0.0.1:1/app";
  const nobody = await call(["status", gone, "--timeout", "500"]);
  expect(nobody.exitCode).toBe(4);
  expect(everything(nobody)).not.toContain("hidden-one");
});

test("a copy goes to a MariaDB by its URL, makes the tables there, and both are equal", async () => {
  await using other = await createCluster({ server: "mariadb", mirrors: 0, password: "s3cr3t-of-app" });
  const between = ["--from", cluster.urls.join(","), "--to", other.urls.join(",")];
  const refused = await call(["copy", ...between]);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no such table on the target") });
  expect(await call(["copy", ...between, "--create-tables"])).toMatchObject({ exitCode: 0 });
  const compared = await call(["compare", ...between, "--lossy", "negative-zero", "--json"]);
  expect(lines(compared.stdout).at(-1)).toMatchObject({ isEqual: true, rows: { from: 60_000, to: 60_000 } });
  const there = { environment: { MIRRORPOOL_URLS: other.urls.join(",") } };
  const store = ["--store", newFolder()];
  const backed = await call(["backup", ...store, "--tables", "item", "--json"], there);
  expect(lines(backed.stdout).at(-1)).toMatchObject({ rows: 60_000, role: "primary" });
  expect(await call(["verify", ...store], there)).toMatchObject({ exitCode: 0 });
  expect(await call(["restore", ...store, "--existing", "replace"], there)).toMatchObject({ exitCode: 0 });
  expect(lines((await call(["compare", ...between, "--json"])).stdout).at(-1)).toMatchObject({ isEqual: true });
  expect([refused, compared, backed].map(everything).join()).not.toContain("s3cr3t");
});

test("a backup of a MariaDB is verified on a server of its system, which goes afterwards", async () => {
  await using other = await createCluster({ server: "mariadb", mirrors: 0 });
  await other.primary().query("CREATE TABLE app.item (id int PRIMARY KEY, name text)");
  await other.primary().query("CREATE TRIGGER app.noted BEFORE INSERT ON app.item FOR EACH ROW SET NEW.name = 'x'");
  const there = { environment: { MIRRORPOOL_URLS: other.urls.join(",") } };
  const store = ["--store", newFolder()];
  expect(await call(["backup", ...store], there)).toMatchObject({ exitCode: 0 });
  const verified = await call(["verify", ...store, "--scratch"], there);
  expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("restored and compared") });
});

test("check tells what is not as it should be for a failover", async () => {
  const { exitCode, stdout } = await call(["check", "--json"], { environment });
  const findings = lines(stdout)[0]?.["findings"] as { check: string; state: string }[];
  expect(exitCode).toBe(0);
  expect(findings).toContainEqual(expect.objectContaining({ check: "durability", state: "warning" }));
  const folder = newFolder();
  const nodes = JSON.stringify([...cluster.urls]);
  writeFileSync(
    join(folder, "mirrorpool.config.mjs"),
    `export default { clusters: { shop: { nodes: ${nodes}, exactlyOnce: true, pool: { max: 500 } } } };`,
  );
  const strict = await call(["check"], { folder });
  expect(strict).toMatchObject({
    exitCode: 3,
    stdout: expect.stringMatching(/trouble +connections[\s\S]*trouble +ledger/),
  });
});

test("the ledger's table is printed and made", async () => {
  expect((await call(["ledger"], { environment })).stdout).toContain("CREATE TABLE IF NOT EXISTS");
  for (const urls of [environment["MIRRORPOOL_URLS"] ?? "", scratch.urls.join(",")])
    expect(await call(["ledger", urls, "--create"])).toMatchObject({ exitCode: 0 });
  expect(await call(["ledger", "--create"], { environment })).toMatchObject({ exitCode: 0 });
});

test("a configuration names several clusters, and is found in the folders above", async () => {
  const folder = newFolder();
  const config = `export default {
    clusters: {
      shop: { nodes: ${JSON.stringify([...cluster.urls])}, backups: ${JSON.stringify(join(folder, "backups"))}, encryption: { passphrase: "pass-phrase-of-shop" } },
      scratch: { nodes: [{ url: ${JSON.stringify(scratch.urls[0])} }] },
    },
  };`;
  writeFileSync(join(folder, "mirrorpool.config.mjs"), config);
  const below = { folder: join(folder, "packages", "api") };
  expect(await call(["status", "shop"], below)).toMatchObject({ exitCode: 0 });
  expect(await call(["status"], below)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("shop, scratch"),
  });
  expect(await call(["status", "shopp"], below)).toMatchObject({ exitCode: 2 });
  const made = await call(["backup", "shop", "--json"], below);
  expect(made).toMatchObject({ exitCode: 0 });
  const [{ name }] = lines(made.stdout) as [{ name: string }];
  expect(lines(made.stderr)).toContainEqual(expect.objectContaining({ type: "warning" }));
  expect(await call(["backups", "shop"], below)).toMatchObject({ stdout: expect.stringContaining(name) });
  expect(await call(["verify", "shop", "--into", "scratch"], below)).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("restored and compared"),
  });
  const again = await call(["restore", "scratch", "--of", "shop"], below);
  expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("TARGET_NOT_EMPTY") });
  expect(await call(["restore", "scratch", "--of", "shop", "--existing", "replace"], below)).toMatchObject({
    exitCode: 0,
  });
  expect(await call(["restore", "scratch", "--abandon"], below)).toMatchObject({
    stdout: expect.stringContaining("no unfinished restore"),
  });
  // damaged, it is found
  const chunk = join(folder, "backups", name, "data", "000001.copy.zst.enc");
  writeFileSync(chunk, readFileSync(chunk).fill(1, 100, 110));
  const damaged = await call(["verify", "shop"], below);
  expect(damaged).toMatchObject({ exitCode: 3, stderr: expect.stringContaining("000001.copy.zst.enc") });
  for (const each of [made, damaged]) expect(everything(each)).not.toMatch(/s3cr3t|pass-phrase/);
});

test("copy, compare and repair work between clusters", async () => {
  await scratch.primary().query("TRUNCATE item");
  const between = ["--from", cluster.urls.join(","), "--to", scratch.urls.join(","), "--tables", "item"];
  expect(await call(["copy", ...between])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("60 000 rows"),
  });
  expect(await call(["compare", ...between])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("equal") });
  await scratch.primary().query("DELETE FROM item WHERE id = 7");
  expect(await call(["compare", ...between])).toMatchObject({
    exitCode: 3,
    stdout: expect.stringContaining("missing"),
  });
  expect(await call(["repair", ...between, "--dry-run"])).toMatchObject({ exitCode: 3 });
  expect(await call(["repair", ...between])).toMatchObject({ exitCode: 0 });
  expect(await call(["compare", ...between])).toMatchObject({ exitCode: 0 });
});

test("follow brings the target up to the source, and leaves nothing behind when it is told to", async () => {
  await cluster.primary().query("ALTER ROLE app REPLICATION");
  const between = ["--from", cluster.urls.join(","), "--to", scratch.urls.join(","), "--tables", "item"];
  const followed = await call(["follow", ...between, "--begin", "compare", "--until-caught-up", "--json"]);
  expect(followed.stderr).not.toContain('"type":"error"');
  expect(followed.exitCode).toBe(0);
  await cluster.primary().query("UPDATE item SET name = 'changed' WHERE id = 8");
  expect(await call(["follow", ...between, "--until-caught-up"])).toMatchObject({ exitCode: 0 });
  expect(await call(["compare", ...between])).toMatchObject({ exitCode: 0 });
  expect(await call(["follow", ...between, "--remove"])).toMatchObject({ exitCode: 0 });
  expect(await cluster.primary().query("SELECT slot_name FROM pg_replication_slots")).toEqual([]);
});

test.each([
  [["nothing"], "unknown command"],
  [["backup", "--keep", "soon"], "Expected an age such as 7d"],
  [["backup", "--jobs", "0"], "Expected a whole number from 1 to 32"],
  [["status", "--config", "not-there.ts"], "there is no configuration at"],
  [["status"], "write a mirrorpool.config.ts"],
  [["switchover"], "--to <node>"],
  [["verify", "--into", "a", "--scratch", "--store", "x"], "--into or --scratch"],
  [["backup", "--store", "s3://bucket/x", "postgres://h/d"], "AWS_ACCESS_KEY_ID"],
  [["drill", "--faults", "meteor"], "expected kill, freeze"],
])("%j is refused with exit code 2", async (args, message) => {
  expect(await call(args)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(message) });
});

test.each([
  ["export default 1", "defineConfig"],
  ["export default { clusters: {} }", "clusters: expected"],
  ["export default { clusters: { a: { nodes: ['postgres://h'] } }, defalt: 'a' }", "defalt: expected one of"],
  ["export default { clusters: { a: { nodes: ['postgres://h'] } }, default: 'b' }", "default: expected one of a"],
  ["export default { clusters: { a: { nodes: ['postgres://h'], pools: {} } } }", "pools: expected one of"],
  ["export default { clusters: { a: { nodes: [] } } }", "nodes: expected 1 to 100"],
  ["export default {", "mirrorpool.config.mjs"],
])("a configuration that is %j is refused with exit code 2", async (text, message) => {
  const folder = newFolder();
  writeFileSync(join(folder, "mirrorpool.config.mjs"), text);
  expect(await call(["status"], { folder })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
});

test("watch tells of each event until it is ended", async () => {
  const stop = new AbortController();
  const watching = call(["watch", "--json", "--interval", "50"], { environment, signal: stop.signal });
  await sleep(1500);
  await cluster.mirrors()[0]?.kill();
  await sleep(1500);
  stop.abort();
  const { exitCode, stdout } = await watching;
  expect(exitCode).toBe(0);
  const told = lines(stdout);
  expect(told).toContainEqual(expect.objectContaining({ type: "event", name: "primary-changed" }));
  expect(told).toContainEqual(expect.objectContaining({ type: "event", name: "node-down" }));
  expect(told).toContainEqual(expect.objectContaining({ type: "topology" }));
});

test("Ctrl-C ends a backup with 130, and the same command goes on", async () => {
  await cluster.caughtUp();
  const store = newFolder();
  const main = join(import.meta.dirname, "../src/main.ts");
  const args = ["--conditions=mirrorpool-source", main, "backup", "--store", store, "--json"];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let told = "";
  let isAsked = false;
  child.stderr.on("data", (part) => {
    told += part;
    if (!isAsked && told.includes('"phase":"rows"')) isAsked = child.kill("SIGINT");
  });
  const [code] = await once(child, "close");
  expect(code).toBe(130);
  expect(told).toContain("The same command goes on");
  const again = await call(["backup", "--store", store, "--json"], { environment });
  expect(again.exitCode).toBe(0);
  expect(await call(["verify", "--store", store])).toMatchObject({ exitCode: 0 });
});

test("switchover has the mirror promoted by a command", async () => {
  const [mirror] = cluster.mirrors();
  const primary = cluster.primary();
  const to = mirror === undefined ? "" : `127.0.0.1:${mirror.port}`;
  const folder = newFolder();
  const asked = join(folder, "asked");
  // the hook of a real cluster's manager; here it is this test
  const promoting = call(["switchover", "--to", to, "--promote", `echo "$MIRRORPOOL_FROM $MIRRORPOOL_TO" > ${asked}`], {
    environment,
  });
  while (!existsSync(asked)) await sleep(20);
  if (mirror !== undefined) await cluster.switchover(mirror);
  expect(await promoting).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${to} is the primary now`) });
  expect(readFileSync(asked, "utf8").trim()).toBe(`127.0.0.1:${primary.port} ${to}`);
});
