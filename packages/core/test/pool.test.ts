import { beforeEach, describe, expect, test } from "vitest";
import { createPool } from "../src/cluster.ts";
import type { PoolOptions } from "../src/config/options.ts";
import { CommitUnknownError, DeadlineError, MirrorpoolError, OptionsError, PoolClosedError } from "../src/errors.ts";
import type { FailoverPool } from "../src/failover-pool.ts";
import type { StatementOptions } from "../src/session/demand.ts";
import type { TransactionOptions } from "../src/session/transaction.ts";
import { mirror, primary } from "./fixtures.ts";
import { HeldEnvironment, settle } from "./held-environment.ts";
import { failureOf, never } from "./promises.ts";
import type { ScriptedDriver, ScriptedServer } from "./scripted-driver.ts";
import { ScriptedError, scriptedDriver } from "./scripted-driver.ts";

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

/** What statements a node was given, probes apart. */
const givenTo = (node: string): string[] =>
  driver.connections.filter((connection) => connection.node === node).flatMap(({ given }) => given);

describe("options of a call", () => {
  test.each([
    [{ isolation: "SERIALIZABLE" }, /^isolation: expected one of .*"serializable", got "SERIALIZABLE"$/],
    [{ isolationLevel: "serializable" }, /^isolationLevel: .*got an unknown option$/],
    [{ readOnly: "yes" }, /^readOnly: expected true or false, got "yes"$/],
    [{ retries: -1 }, /^retries: expected a whole number from 0 to 100, got -1$/],
    [{ timeoutMs: "soon" }, /^timeoutMs: expected a number of milliseconds, 0 or more, got "soon"$/],
  ])("a transaction with %j is refused before it begins", async (options, message) => {
    const pool = await startPool();
    const error = await failureOf(pool.transaction(async () => {}, options as TransactionOptions));
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as OptionsError).message).toMatch(message);
    expect(givenTo("a")).toEqual([]);
    await pool.close();
  });

  test("a statement with a deadline that is no number, or a freshness that nobody knows, is not sent", async () => {
    const pool = await startPool();
    for (const options of [{ timeoutMs: Number.NaN }, { timeoutMs: -1 }, { consistency: "week" }])
      expect(await failureOf(pool.query("READ x", [], options as StatementOptions))).toBeInstanceOf(OptionsError);
    expect([...givenTo("a"), ...givenTo("b")]).toEqual([]);
    await pool.close();
  });

  test("a transaction without a callback is told so", async () => {
    const pool = await startPool();
    const error = await failureOf(pool.transaction(undefined as unknown as () => Promise<void>));
    expect(error).toMatchObject({ code: "OPTIONS_INVALID", message: "callback: expected a function, got undefined" });
    await pool.close();
  });
});

describe("what went wrong before", () => {
  test("a COMMIT was sent although the transaction's time was over: nobody could tell then whether it had happened", async () => {
    const pool = await startPool();
    const failure = failureOf(
      pool.transaction(
        async (transaction) => {
          await transaction.query("WRITE x");
          environment.skip(200);
        },
        { timeoutMs: 100 },
      ),
    );
    await environment.advance(20);
    expect(await failure).toBeInstanceOf(DeadlineError);
    expect(givenTo("a")).not.toContain("COMMIT");
    await pool.close();
  });

  test("a COMMIT whose answer was late cost another wait, and a ROLLBACK on a new connection", async () => {
    const pool = await startPool({ timeouts: { statementMs: 2000 } });
    a.answer = (text) => (text === "COMMIT" ? never() : Promise.resolve({}));
    const failure = failureOf(pool.transaction((transaction) => transaction.query("WRITE x")));
    await environment.advance(2020);
    expect(await Promise.race([failure, settle()])).toBeInstanceOf(CommitUnknownError);
    await environment.advance(5000);
    expect(givenTo("a")).toEqual(["BEGIN", "WRITE x", "COMMIT"]);
    await pool.close();
  });

  test("calls that waited for a topology at close() hung for ever", async () => {
    a.observation = primary({ instance: "a", isWritable: false });
    const pool = createPool({ driver, nodes: ["a", "b"] }, environment);
    const started = failureOf(pool.start({ timeoutMs: 60_000 }));
    await environment.advance(50);
    await pool.close({ timeoutMs: 0 });
    expect(await started).toBeInstanceOf(PoolClosedError);
    expect(environment.armed).toBe(0);
  });

  test("a login of the monitor that came through while nobody waited for it was left open by close()", async () => {
    let letIn = (): void => {};
    const pool = await startPool({ monitor: { probeTimeoutMs: 100, intervalMs: 60_000 } });
    b.login = new Promise((resolve) => {
      letIn = resolve;
    });
    for (const connection of driver.connections) if (connection.node === "b") connection.destroy();
    await environment.advance(60_000 + 250); // two attempts had no answer, and the next one is far off
    letIn();
    await settle();
    await pool.close();
    expect(driver.connections.filter(({ status }) => status !== "closed")).toEqual([]);
  });

  test("a node whose connections all broke counted as up until its next probe was due", async () => {
    const pool = await startPool({ monitor: { intervalMs: 60_000 } });
    a.login = Promise.reject(new ScriptedError("refused"));
    a.login.catch(() => {});
    for (const connection of driver.connections) if (connection.node === "a") connection.destroy();
    await environment.advance(20);
    expect(pool.topology().nodes.map(({ id, status }) => `${id} ${status}`)).toEqual(["a:1 down", "b:1 up"]);
    await pool.close();
  });

  test("a promotion right after the primary's death was seen only when the next probe was due", async () => {
    const pool = await startPool({ monitor: { intervalMs: 60_000 } });
    a.login = Promise.reject(new ScriptedError("refused"));
    a.login.catch(() => {});
    b.observation = primary({ instance: "b", timeline: 2 });
    for (const connection of driver.connections) if (connection.node === "a") connection.destroy();
    await environment.advance(20);
    expect(pool.topology()).toMatchObject({ primary: "b:1", isWritable: true });
    await pool.close();
  });

  test("a listener for an event that does not exist was taken, and never called", async () => {
    const pool = await startPool();
    expect(() => pool.on("primary-gone" as "primary-lost", () => {})).toThrow(
      /event: expected one of node-up, .* "?primary-gone/,
    );
    await pool.close();
  });

  test("a pause that gave up let the work of another pause go", async () => {
    const pool = await startPool();
    a.answer = (text) => (text === "WRITE slow" ? never() : Promise.resolve({}));
    const slow = failureOf(pool.query("WRITE slow", [], { timeoutMs: 400 }));
    await settle();
    const impatient = failureOf(pool.pause({ timeoutMs: 50 }));
    const patient = pool.pause({ timeoutMs: 5_000 });
    await environment.advance(100);
    expect(await impatient).toMatchObject({ code: "DEADLINE" });
    expect(pool.topology().hold).toBe("all");
    await environment.advance(2_000);
    await slow;
    await patient;
    const held = failureOf(pool.query("WRITE held", [], { timeoutMs: 50 }));
    await environment.advance(100);
    expect(await held).toMatchObject({ code: "NO_PRIMARY" });
    expect(givenTo("a")).not.toContain("WRITE held");
    pool.resume();
    await pool.query("WRITE after");
    await pool.close();
  });

  test("a pause that was resumed before all was at rest said that it was", async () => {
    const pool = await startPool();
    a.answer = (text) => (text === "WRITE slow" ? never() : Promise.resolve({}));
    const slow = failureOf(pool.query("WRITE slow", [], { timeoutMs: 400 }));
    await settle();
    const paused = failureOf(pool.pause({ timeoutMs: 5_000 }));
    await settle();
    pool.resume();
    expect(await paused).toMatchObject({ code: "ABORTED", message: expect.stringContaining("resume() was called") });
    await pool.query("WRITE after");
    await environment.advance(2_000);
    await slow;
    await pool.pause();
    pool.resume();
    await pool.close();
  });

  test("what a connection of the pool was told of its server, when asked whether it lives, was thrown away", async () => {
    const pool = await startPool({ pool: { validateAfterIdleMs: 0 }, monitor: { intervalMs: 60_000 } });
    await pool.query("WRITE x");
    await environment.advance(10);
    a.observation = mirror({ instance: "a" });
    b.observation = primary({ instance: "b", timeline: 2 });
    const failure = failureOf(pool.query("WRITE y", [], { timeoutMs: 50 }));
    await environment.advance(100);
    await failure;
    expect(givenTo("a")).toEqual(["WRITE x"]);
    await pool.close();
  });

  test("a read whose only fit mirror gave no connection ran in circles, and the process with it", async () => {
    const pool = await startPool({ pool: { warm: 0 } });
    b.login = Promise.reject(new ScriptedError("refused"));
    b.login.catch(() => {});
    expect(await Promise.race([pool.query("READ x"), settle().then(settle).then(settle)])).toMatchObject({
      command: "READ",
    });
    expect(givenTo("a")).toEqual(["READ x"]);
    await pool.close();
  });

  test("a write that a primary refused while it was switched to read-only for a moment failed with the server's refusal", async () => {
    const pool = await startPool();
    let refusals = 0;
    a.answer = async (text) => {
      if (text === "WRITE x" && refusals++ === 0) throw new ScriptedError("read-only");
      return {};
    };
    const write = pool.query("WRITE x");
    await environment.advance(600);
    expect(await write).toMatchObject({ command: "WRITE" });
    await pool.close();
  });

  test("a transaction that began while its primary was read-only for a moment failed with the server's refusal", async () => {
    const pool = await startPool();
    let refusals = 0;
    a.answer = async (text) => {
      if (text === "WRITE x" && refusals++ === 0) throw new ScriptedError("read-only");
      return {};
    };
    const written = pool.transaction((transaction) => transaction.query("WRITE x"));
    await environment.advance(600);
    expect(await written).toMatchObject({ command: "WRITE" });
    expect(givenTo("a")).toEqual(["BEGIN", "WRITE x", "ROLLBACK", "BEGIN", "WRITE x", "COMMIT"]);
    await pool.close();
  });

  test("a write in a transaction that the application itself began read-only ends with the server's refusal", async () => {
    const pool = await startPool();
    a.answer = async (text) => {
      if (text === "WRITE x") throw new ScriptedError("read-only");
      return {};
    };
    const failure = failureOf(pool.transaction((transaction) => transaction.query("WRITE x"), { readOnly: true }));
    await environment.advance(600);
    expect(await failure).toMatchObject({ kind: "read-only" });
    await pool.close();
  });

  test("a refusal inside a transaction was shown when the monitor could not tell in time whether the primary takes writes", async () => {
    const pool = await startPool();
    a.answer = async (text) => {
      if (text === "PROBE") return never();
      if (text === "WRITE x") throw new ScriptedError("read-only");
      return {};
    };
    const failure = failureOf(pool.transaction((transaction) => transaction.query("WRITE x"), { timeoutMs: 50 }));
    await environment.advance(100);
    expect(await failure).toBeInstanceOf(MirrorpoolError);
    await pool.close();
  });
});
