import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFaultProxy, type Direction, type FaultProxy } from "../src/index.ts";
import { until } from "../src/wait.ts";
import { call, type Echo, startEcho } from "./tcp.ts";

/** Long enough for bytes on loopback to arrive if they ever do. */
const QUIET_MS = 60;

async function start(options: { isSilent?: boolean } = {}): Promise<{ echo: Echo; proxy: FaultProxy }> {
  const echo = await startEcho(options);
  const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: echo.port } });
  onTestFinished(async () => {
    await proxy.close();
    await echo[Symbol.asyncDispose]();
  });
  return { echo, proxy };
}

/** A connection through the proxy that has proven to work. */
async function open(proxy: FaultProxy) {
  const caller = call(proxy.port);
  onTestFinished(() => caller[Symbol.dispose]());
  caller.send("hello");
  await caller.receive("hello");
  return caller;
}

test("without a fault bytes pass in both directions and are counted", async () => {
  const { echo, proxy } = await start();
  const caller = await open(proxy);
  expect(echo.received.map((inbox) => inbox.text())).toEqual(["hello"]);
  expect(proxy.stats).toEqual({
    connections: { accepted: 1, active: 1 },
    bytes: { up: 5, down: 5 },
    swallowedBytes: { up: 0, down: 0 },
  });
  caller.socket.end();
  expect(await caller.ended()).toBe("end");
  await until("the connection to be forgotten", () => proxy.stats.connections.active === 0);
});

test("10 MB pass unchanged, and a slow reader makes the sender wait", async () => {
  const { echo, proxy } = await start();
  const caller = await open(proxy);
  caller.socket.pause();
  const data = Buffer.alloc(10_000_000, "0123456789");
  caller.socket.write(data);
  caller.socket.resume();
  await until("everything to come back", () => caller.received.bytes === data.length + 5, { timeoutMs: 10_000 });
  expect(echo.received[0]?.text().slice(5)).toBe(data.toString());
  expect(caller.received.text().slice(5)).toBe(data.toString());
});

test("refuse closes open connections and refuses new ones, until healed on the same port", async () => {
  const { proxy } = await start();
  const { port } = proxy;
  const caller = await open(proxy);
  await proxy.refuse();
  expect(await caller.ended()).toBe("end");
  expect(await call(port).ended()).toBe("ECONNREFUSED");
  await proxy.heal();
  expect(proxy.port).toBe(port);
  await open(proxy);
});

test("reset resets open connections and each new one", async () => {
  const { proxy } = await start();
  const caller = await open(proxy);
  await proxy.reset();
  expect(await caller.ended()).toBe("ECONNRESET");
  expect(await call(proxy.port).ended()).toBe("ECONNRESET");
  await proxy.heal();
  await open(proxy);
});

describe("a black hole", () => {
  test("swallows both directions, keeps connections open, and resets those that lost bytes when healed", async () => {
    const { echo, proxy } = await start();
    const lossy = await open(proxy);
    const untouched = await open(proxy);
    await proxy.blackHole();
    lossy.send("lost");
    echo.sockets[0]?.write("lost too");
    await until("the bytes to be swallowed", () => proxy.stats.swallowedBytes.up === 4);
    await until("the bytes to be swallowed", () => proxy.stats.swallowedBytes.down === 8);
    expect(lossy.received.text()).toBe("hello");
    expect(lossy.ending()).toBeUndefined();
    expect(echo.received[0]?.text()).toBe("hello");
    await proxy.heal();
    expect(await lossy.ended()).toBe("ECONNRESET");
    untouched.send("!");
    await untouched.receive("hello!");
  });

  test("accepts new connections and swallows what they say", async () => {
    const { echo, proxy } = await start();
    await proxy.blackHole();
    const caller = call(proxy.port);
    caller.send("anybody there?");
    await until("the bytes to be swallowed", () => proxy.stats.swallowedBytes.up === 14);
    await proxy.heal();
    expect(await caller.ended()).toBe("ECONNRESET");
    expect(echo.received.map((inbox) => inbox.bytes)).toEqual([0]);
  });

  test("hides from the server that the client has gone", async () => {
    const { echo, proxy } = await start();
    const caller = await open(proxy);
    await proxy.blackHole();
    caller.socket.destroy();
    await sleep(QUIET_MS);
    expect(echo.sockets[0]?.destroyed).toBe(false);
    await proxy.heal();
    await until("the server to be told", () => echo.sockets[0]?.destroyed);
  });
});

test.each<{ swallowed: Direction; server: string; client: string }>([
  { swallowed: "up", server: "hello", client: "hello+down" },
  { swallowed: "down", server: "hello+up", client: "hello" },
])("half-open swallows only what flows $swallowed", async ({ swallowed, server, client }) => {
  const { echo, proxy } = await start({ isSilent: true });
  const caller = call(proxy.port);
  caller.send("hello");
  await until("hello to arrive", () => echo.received[0]?.text() === "hello");
  echo.sockets[0]?.write("hello");
  await caller.receive("hello");
  await proxy.halfOpen(swallowed);
  caller.send("+up");
  echo.sockets[0]?.write("+down");
  await until("the bytes to be swallowed", () => proxy.stats.swallowedBytes[swallowed] > 0);
  await until(
    "the other bytes to arrive",
    () => echo.received[0]?.text() === server && caller.received.text() === client,
  );
  await proxy.heal();
  expect(await caller.ended()).toBe("ECONNRESET");
});

describe("a stall", () => {
  test("holds both directions and delivers in order when healed", async () => {
    const { echo, proxy } = await start({ isSilent: true });
    const caller = call(proxy.port);
    await until("the connection", () => echo.sockets[0]);
    await proxy.stall();
    caller.send("first,");
    caller.send("second");
    echo.sockets[0]?.write("answer");
    await sleep(QUIET_MS);
    expect(echo.received[0]?.text()).toBe("");
    expect(caller.received.text()).toBe("");
    await proxy.heal();
    await caller.receive("answer");
    await until("the held bytes", () => echo.received[0]?.text() === "first,second");
  });

  test("delivers late what a client wrote before it gave up", async () => {
    const { echo, proxy } = await start();
    const caller = await open(proxy);
    await proxy.stall();
    caller.send("+late write");
    await until("the bytes to leave", () => caller.socket.writableLength === 0);
    caller.socket.resetAndDestroy();
    await sleep(QUIET_MS);
    expect(echo.received[0]?.text()).toBe("hello");
    await proxy.heal();
    await until("the late write", () => echo.received[0]?.text() === "hello+late write");
  });

  test("holds a bounded amount, then the sender has to wait", async () => {
    const { proxy } = await start({ isSilent: true });
    await proxy.stall();
    const caller = call(proxy.port);
    const total = 64 * 1024 * 1024;
    for (let sent = 0; sent < total; sent += 65_536) caller.socket.write(Buffer.alloc(65_536));
    await until("the sender to get stuck", async () => {
      const before = caller.socket.writableLength;
      await sleep(QUIET_MS);
      return before < total && before === caller.socket.writableLength;
    });
    expect(caller.socket.writableLength).toBeGreaterThan(total / 2);
    await proxy.heal();
    await until("the rest to flow", () => proxy.stats.bytes.up === total, { timeoutMs: 10_000 });
  });
});

test("latency delays each direction and keeps the order", async () => {
  const { proxy } = await start();
  const caller = await open(proxy);
  await proxy.latency(30, 20);
  const start_ = performance.now();
  const text = Array.from({ length: 50 }, (_, i) => `${i},`);
  for (const piece of text) {
    caller.send(piece);
    await sleep(1);
  }
  await caller.receive(`hello${text.join("")}`);
  expect(performance.now() - start_).toBeGreaterThanOrEqual(60);
});

test("bandwidth limits what flows, for all connections together", async () => {
  const { proxy } = await start({ isSilent: true });
  await proxy.bandwidth(100_000);
  const start_ = performance.now();
  for (const caller of [call(proxy.port), call(proxy.port)]) caller.socket.write(Buffer.alloc(20_000));
  await until("everything to pass", () => proxy.stats.bytes.up === 40_000);
  const ms = performance.now() - start_;
  expect(ms).toBeGreaterThanOrEqual(390);
  expect(ms).toBeLessThan(2_000);
});

describe("cut after n bytes", () => {
  test.each([0, 1, 7, 70_000])(
    "forwards exactly %i bytes up, on an open connection and on a new one",
    async (bytes) => {
      const { echo, proxy } = await start({ isSilent: true });
      const caller = call(proxy.port);
      caller.send("hello");
      await until("hello to arrive", () => echo.received[0]?.bytes === 5);
      await proxy.cutAfter(bytes, "up");
      const later = call(proxy.port);
      for (const each of [caller, later]) each.socket.write(Buffer.alloc(100_000));
      await caller.ended();
      await later.ended();
      await until("the last byte", () => echo.received[0]?.bytes === 5 + bytes);
      if (bytes > 0) await until("the last byte", () => echo.received[1]?.bytes === bytes);
      await sleep(QUIET_MS);
      expect(echo.received.map((inbox) => inbox.bytes)).toEqual(
        bytes > 0 ? [5 + bytes, bytes] : [5, 0].slice(0, echo.received.length),
      );
    },
  );

  test("forwards exactly n bytes down, and leaves the other direction alone until then", async () => {
    const { echo, proxy } = await start();
    const caller = await open(proxy);
    await proxy.cutAfter(3, "down");
    caller.send("abcdef");
    await caller.ended();
    expect(caller.received.text()).toBe("helloabc");
    expect(echo.received[0]?.text()).toBe("helloabcdef");
  });
});

test("a connection to a target that is down is reset", async () => {
  const { echo, proxy } = await start();
  await echo[Symbol.asyncDispose]();
  expect(await call(proxy.port).ended()).toBe("ECONNRESET");
  await until("the connection to be forgotten", () => proxy.stats.connections.active === 0);
});

test("dropConnections resets what is open, once", async () => {
  const { proxy } = await start();
  const caller = await open(proxy);
  proxy.dropConnections();
  expect(await caller.ended()).toBe("ECONNRESET");
  await open(proxy);
});

test.each(["pass", "blackHole", "stall"] as const)(
  "close is idempotent and ends all connections (%s)",
  async (mode) => {
    const { echo, proxy } = await start();
    const caller = await open(proxy);
    if (mode !== "pass") await proxy[mode]();
    caller.send("more");
    await proxy.close();
    await proxy.close();
    await caller.ended();
    await until("the server to be told", () => echo.sockets[0]?.destroyed);
    await until("the connection to be forgotten", () => proxy.stats.connections.active === 0);
    expect(await call(proxy.port).ended()).toBe("ECONNREFUSED");
  },
);

test.each([
  ["latency", (proxy: FaultProxy) => proxy.latency(-1), "latency: ms: expected a number of at least 0, got -1"],
  [
    "bandwidth",
    (proxy: FaultProxy) => proxy.bandwidth(0),
    "bandwidth: bytesPerSecond: expected a number of at least 1, got 0",
  ],
  [
    "cutAfter",
    (proxy: FaultProxy) => proxy.cutAfter(Number.NaN, "up"),
    "cutAfter: bytes: expected a number of at least 0, got NaN",
  ],
] as const)("%s rejects what makes no sense", async (_, act, message) => {
  const { proxy } = await start();
  await expect(act(proxy)).rejects.toMatchObject({ code: "invalid-option", message });
  expect(proxy.fault).toEqual({ kind: "pass" });
});
