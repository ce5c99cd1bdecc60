import { beforeEach, describe, expect, test } from "vitest";
import { createPool } from "../src/cluster.ts";
import type { PoolOptions } from "../src/config/options.ts";
import type { Result } from "../src/driver.ts";
import { DeadlineError, OptionsError, TransactionLostError } from "../src/errors.ts";
import type { FailoverPool } from "../src/failover-pool.ts";
import { mirror, primary } from "./fixtures.ts";
import { HeldEnvironment, settle } from "./held-environment.ts";
import { failureOf, never } from "./promises.ts";
import { type ScriptedDriver, ScriptedError, type ScriptedServer, scriptedDriver } from "./scripted-driver.ts";

let environment: HeldEnvironment;
let a: ScriptedServer;
let b: ScriptedServer;
let driver: ScriptedDriver;

beforeEach(() => {
  environment = new HeldEnvironment();
  a = { observation: primary({ instance: "a" }) };
  b = { observation: mirror({ instance: "b" }) };
  driver = scriptedDriver({ a, b });
});

/** A pool that knows its primary. */
async function startPool(options: Partial<PoolOptions> = {}): Promise<FailoverPool> {
  const pool = createPool({ driver, nodes: ["a", "b"], ...options }, environment);
  const started = pool.start();
  await environment.advance(10);
  await started;
  return pool;
}

/** What the connections of a node were given, each apart, probes left out. */
const givenTo = (node: string): (readonly string[])[] =>
  driver.connections.filter((each) => each.node === node && each.given.length > 0).map(({ given }) => given);

/** A first answer of this kind, and none of it afterwards. */
function failOnce(text: string, kind: ScriptedError["kind"]): NonNullable<ScriptedServer["answer"]> {
  let failures = 0;
  return async (given) => {
    if (given === text && failures++ === 0) throw new ScriptedError(kind);
    return {};
  };
}

describe("a transaction that the server has undone", () => {
  test("and whose call was aborted before it could be run again is lost: nothing goes on outside of it", async () => {
    const pool = await startPool({ retryOnConflict: 5 });
    a.answer = failOnce("WRITE x", "rolled-back");
    const session = await pool.connect();
    await session.query("BEGIN");
    const attempt = new AbortController();
    const failure = failureOf(session.query("WRITE x", [], { signal: attempt.signal }));
    await settle(); // it rests now, before it is run again
    attempt.abort();
    await failure;
    const next = failureOf(session.query("WRITE y"));
    await environment.advance(100);
    expect(await next).toBeInstanceOf(TransactionLostError);
    expect(givenTo("a").flat()).not.toContain("WRITE y");
    session.release();
    await pool.close();
  });

  test("is run again although new work is held: a pause waits for its end", async () => {
    const pool = await startPool({ retryOnConflict: 5 });
    a.answer = failOnce("WRITE x", "rolled-back");
    const session = await pool.connect();
    await session.query("BEGIN");
    const paused = pool.pause({ timeoutMs: 1000 });
    const write = session.query("WRITE x");
    await environment.advance(100);
    expect(await Promise.race([write, settle()])).toMatchObject({ command: "WRITE" });
    await session.query("COMMIT");
    await environment.advance(100);
    expect(await Promise.race([paused.then(() => "paused"), settle()])).toBe("paused");
    session.release();
    await pool.close();
  });
});

describe("an interrupted statement", () => {
  test("is part of its transaction, which failed: it is never replayed without it and committed then", async () => {
    const pool = await startPool();
    a.takesCancels = true;
    a.answer = (text) => (text === "WRITE y" ? never() : Promise.resolve({}));
    const session = await pool.connect();
    await session.query("BEGIN");
    await session.query("WRITE x");
    const interrupted = failureOf(session.query("WRITE y", [], { timeoutMs: 50 }));
    await environment.advance(100);
    expect(await interrupted).toBeInstanceOf(DeadlineError);
    expect(session.transactionStatus).toBe("failed");
    for (const each of driver.connections) if (each.given.includes("BEGIN")) each.destroy();
    const commit = failureOf(session.query("COMMIT"));
    await environment.advance(100);
    expect(await commit).toBeInstanceOf(TransactionLostError);
    expect(givenTo("a").flat()).not.toContain("COMMIT");
    session.release();
    await pool.close();
  });

  test("that may have left something on its connection leaves it to nobody", async () => {
    const pool = await startPool();
    a.takesCancels = true;
    a.answer = (text) => (text === "LOCK x" ? never() : Promise.resolve({}));
    const failure = failureOf(pool.query("LOCK x", [], { timeoutMs: 50 }));
    await environment.advance(100);
    await failure;
    await pool.query("WRITE y");
    expect(givenTo("a")).toEqual([["LOCK x"], ["WRITE y"]]);
    await pool.close();
  });
});

describe("a listener of onLost", () => {
  test("that throws breaks neither the monitor nor the other connections", async () => {
    const pool = await startPool();
    const warned: Error[] = [];
    const onWarning = (warning: Error): void => void warned.push(warning);
    process.on("warning", onWarning);
    const session = await pool.connect();
    session.onLost(() => {
      throw new Error("a mistake of the application");
    });
    await session.query("LOCK x");
    a.observation = mirror({ instance: "a", timeline: 1 });
    a.login = Promise.reject(new ScriptedError("refused"));
    a.login.catch(() => {});
    for (const each of driver.connections) if (each.node === "a" && each.given.length === 0) each.destroy();
    b.observation = primary({ instance: "b", timeline: 2 });
    await environment.advance(1000);
    expect(pool.topology().primary).toBe("b:1");
    await settle();
    process.off("warning", onWarning);
    expect(warned.map(({ message }) => message)).toEqual([expect.stringContaining("a mistake of the application")]);
    session.release();
    await pool.close();
  });
});

describe("a hand-over", () => {
  test("goes on holding writes when somebody resumes meanwhile, or pauses", async () => {
    const pool = await startPool();
    let finish = (): void => {};
    const promoted = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const handed = pool.switchover({ to: "b:1", promote: () => promoted, timeoutMs: 10_000 });
    await environment.advance(600);
    expect(pool.topology().hold).toBe("writes");
    pool.resume();
    const write = pool.query("WRITE x");
    const paused = pool.pause({ timeoutMs: 10_000 });
    await environment.advance(600);
    expect(givenTo("a")).toEqual([]);
    a.observation = mirror({ instance: "a" });
    b.observation = primary({ instance: "b", timeline: 2 });
    finish();
    await environment.advance(1000);
    await handed;
    await paused;
    expect(pool.topology().hold).toBe("all");
    pool.resume();
    await environment.advance(100);
    await write;
    expect(givenTo("b")).toEqual([["WRITE x"]]);
    await pool.close();
  });
});

describe("a write that has to reach a mirror", () => {
  test("may wait for that when the pool is closed under it", async () => {
    const pool = await startPool({ durability: "mirrored", monitor: { intervalMs: 100 } });
    let answer = (): void => {};
    const answered = new Promise<Partial<Result>>((resolve) => {
      answer = () => resolve({});
    });
    a.answer = (text) => (text === "WRITE x" ? answered : Promise.resolve({}));
    const write = failureOf(pool.query("WRITE x"));
    await environment.advance(5);
    const closed = pool.close({ timeoutMs: 5000 });
    await settle();
    answer();
    await environment.advance(3000);
    expect(await write).toBe("no failure");
    await closed;
  });
});

describe("a freshness token", () => {
  test("with a position that is none is refused before any topology is compared with it", async () => {
    const covers = (position: string, other: string): boolean => BigInt(position) >= BigInt(other);
    driver = { ...driver, positions: { ...driver.positions, covers } };
    const pool = await startPool();
    const freshAs = Buffer.from(JSON.stringify(["ours", 1, "somewhere"])).toString("base64url");
    const read = failureOf(pool.query("READ x", [], { freshAs }));
    await environment.advance(100);
    expect(await read).toBeInstanceOf(OptionsError);
    expect(() => pool.inContext(() => {}, { freshAs })).toThrow(OptionsError);
    await pool.close();
  });
});

describe("while the sessions of a server are ended one after the other", () => {
  const ENDED_MS = 150;

  test.each([
    ["a read", (pool: FailoverPool) => pool.query("READ x", [], { consistency: "strong" })],
    [
      "the first statement of a transaction",
      (pool: FailoverPool) => pool.transaction((transaction) => transaction.query("READ x")),
    ],
  ])("%s is not sent to each of them in turn: it waits until that is over", async (_, ask) => {
    const pool = await startPool();
    const endedBy = environment.now() + ENDED_MS;
    a.answer = async (text) => {
      if (text.includes("READ") && environment.now() < endedBy) throw new ScriptedError("gone");
      return {};
    };
    const asked = ask(pool);
    await environment.advance(2 * ENDED_MS + 500);
    expect(await Promise.race([asked, settle()])).toMatchObject({ command: "READ" });
    await pool.close();
  });

  test("a read that was refused before by servers that were not ready is not given up for it", async () => {
    const pool = await startPool();
    const kinds: ScriptedError["kind"][] = [...Array.from({ length: 6 }, () => "not-ready" as const), "gone"];
    a.answer = async (text) => {
      const kind = text === "READ x" ? kinds.shift() : undefined;
      if (kind !== undefined) throw new ScriptedError(kind);
      return {};
    };
    const asked = pool.query("READ x", [], { consistency: "strong" });
    await environment.advance(1000);
    expect(await Promise.race([asked, settle()])).toMatchObject({ command: "READ" });
    await pool.close();
  });

  test("a read that loses its connection again and again is given up in the end", async () => {
    const pool = await startPool();
    a.answer = async (text) => {
      if (text === "READ x") throw new ScriptedError("gone");
      return {};
    };
    const failure = failureOf(pool.query("READ x", [], { consistency: "strong" }));
    await environment.advance(2000);
    expect(await Promise.race([failure, settle()])).toMatchObject({ code: "READ_LOST" });
    await pool.close();
  });
});
