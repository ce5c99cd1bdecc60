import { inspect } from "node:util";
import { createCluster, createFaultProxy, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { driver, open, rejection, servers, targetOf } from "./server.ts";

describe.each(servers)("a login on %s", (server) => {
  let cluster: LabCluster;
  let node: LabNode;

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 0 });
    node = cluster.primary();
  }, 120_000);
  afterEach(async () => {
    await node.proxy.heal();
    if (!node.isRunning) await node.start();
  });
  afterAll(() => cluster?.close());

  test("is that of the target, with what its URL says", async () => {
    const connection = await open(node, { parameters: { dateStrings: "true" } });
    const { rows } = await connection.run({ text: "SELECT DATABASE() AS d, DATE '2020-01-02' AS day" });
    expect(rows).toEqual([{ d: "app", day: "2020-01-02" }]);
    await connection.close();
  });

  const failures = [
    ["a wrong password", { password: "hunter2" }, "configuration", "1045"],
    ["a user that does not exist", { user: "nobody" }, "configuration", "1045"],
    ["a database that does not exist", { database: "nowhere" }, "configuration", undefined],
    ["a name that does not exist", { host: "no-such-host.invalid" }, "unreachable", undefined],
  ] as const;

  test.each(failures)("with %s is a fault that says so, without the password", async (_, changes, kind, code) => {
    const error = await rejection(open(node, changes));
    const fault = driver.classify(error);
    expect(fault.kind).toBe(kind);
    if (code !== undefined) expect(fault.code).toBe(code);
    for (const secret of ["hunter2", "secret"])
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
  });

  test("by TLS is one where the server speaks it, and a configuration fault where it does not", async () => {
    const outcome = await open(node, { tls: { rejectUnauthorized: false } }).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      expect(driver.classify(outcome).kind).toBe("configuration");
      return;
    }
    const connection = outcome as Awaited<ReturnType<typeof open>>;
    await driver.probe(connection);
    const running = rejection(connection.run({ text: "SELECT SLEEP(60) FROM information_schema.SCHEMATA" }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await connection.cancel(new AbortController().signal);
    expect(await running).toMatchObject({ errno: 1317 });
    connection.destroy();
  });

  test("at a server that is not there is refused, at one that breaks off it is gone", async () => {
    await node.kill();
    expect(driver.classify(await rejection(open(node))).kind).toBe("refused");
    await node.start();
    await node.proxy.reset();
    expect(driver.classify(await rejection(open(node))).kind).toBe("gone");
    await node.proxy.heal();
    // after the first answer of the server
    await node.proxy.cutAfter(20, "down");
    expect(driver.classify(await rejection(open(node))).kind).toBe("gone");
  });

  test("with too many connections is an overload", async () => {
    await node.connectionLimit(1);
    const first = await open(node);
    expect(driver.classify(await rejection(open(node))).kind).toBe("overloaded");
    await first.close();
    await node.connectionLimit(null);
  });

  test("that hangs ends with its signal, and leaves no socket behind", async () => {
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
});
