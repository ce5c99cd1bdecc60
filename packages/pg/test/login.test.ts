import { inspect } from "node:util";
import { createCluster, createFaultProxy, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { driver, open, rejection, targetOf } from "./server.ts";

let cluster: LabCluster;
let node: LabNode;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
  node = cluster.primary();
});
afterEach(async () => {
  await node.proxy.heal();
  if (!node.isRunning) await node.start();
});
afterAll(() => cluster?.close());

test("the login of a target is the one that is used", async () => {
  const connection = await open(node, { parameters: { options: "-c work_mem=9MB" } });
  const { rows } = await connection.run({
    text: "SELECT current_user AS u, current_database() AS d, current_setting('application_name') AS a, current_setting('work_mem') AS w",
  });
  expect(rows).toEqual([{ u: "app", d: "app", a: "driver test", w: "9MB" }]);
  await connection.close();
});

const failures = [
  ["a wrong password", { password: "hunter2" }, "configuration", "28P01"],
  ["a user that does not exist", { user: "nobody" }, "configuration", "28P01"],
  ["a database that does not exist", { database: "nowhere" }, "configuration", "3D000"],
  ["a name that does not exist", { host: "no-such-host.invalid" }, "unreachable", undefined],
  ["TLS that the server does not speak", { tls: true }, "configuration", undefined],
] as const;

test.each(failures)("%s is a fault that says so, without the password", async (_, changes, kind, code) => {
  const error = await rejection(open(node, changes));
  const fault = driver.classify(error);
  expect(fault.kind).toBe(kind);
  if (code !== undefined) expect(fault.code).toBe(code);
  for (const secret of ["hunter2", "secret"])
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
});

test("a server that is not there refused, one that shuts down is not ready, one that breaks off is gone", async () => {
  await node.kill();
  expect(driver.classify(await rejection(open(node))).kind).toBe("refused");
  await node.start();
  await node.proxy.reset();
  expect(driver.classify(await rejection(open(node))).kind).toBe("gone");
  await node.proxy.heal();
  // after the first answer of the server
  await node.proxy.cutAfter(20, "down");
  expect(driver.classify(await rejection(open(node))).kind).toBe("gone");
  await node.proxy.heal();
  const holder = await open(node);
  const stopped = node.stop("smart");
  let error = await rejection(open(node).then(() => open(node)));
  for (let i = 0; i < 50 && driver.classify(error).kind !== "not-ready"; i += 1)
    error = await open(node).then(
      (each) => each.close(),
      (reason: unknown) => reason,
    );
  expect(driver.classify(error)).toEqual({ kind: "not-ready", code: "57P03" });
  await holder.close();
  await stopped;
});

test("too many connections are an overload", async () => {
  await node.connectionLimit(1);
  const first = await open(node);
  expect(driver.classify(await rejection(open(node)))).toEqual({ kind: "overloaded", code: "53300" });
  await first.close();
  await node.connectionLimit(null);
});

test("a login that hangs ends with its signal, and leaves no socket behind", async () => {
  const proxy = await createFaultProxy({ target: { host: node.host, port: node.directPort } });
  await proxy.blackHole();
  const attempt = new AbortController();
  const reason = new Error("too late");
  const opening = rejection(driver.connect(targetOf(node, { port: proxy.port }), attempt.signal));
  setTimeout(() => attempt.abort(reason), 50);
  expect(await opening).toBe(reason);
  await proxy.heal();
  const deadline = performance.now() + 5_000;
  while (proxy.stats.connections.active > 0 && performance.now() < deadline) await new Promise(setImmediate);
  expect(proxy.stats.connections.active).toBe(0);
  await proxy.close();
  expect(await rejection(driver.connect(targetOf(node), AbortSignal.abort(reason)))).toBe(reason);
});
