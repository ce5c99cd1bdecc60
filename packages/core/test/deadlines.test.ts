import { beforeEach, describe, expect, test } from "vitest";
import { Call } from "../src/call.ts";
import type { Expiring } from "../src/deadlines.ts";
import { DEADLINE_RESOLUTION_MS, Deadlines } from "../src/deadlines.ts";
import { AbortedError, QueueFullError } from "../src/errors.ts";
import { Waiters } from "../src/waiters.ts";
import { HeldEnvironment, settle } from "./held-environment.ts";

let environment: HeldEnvironment;
let deadlines: Deadlines;

beforeEach(() => {
  environment = new HeldEnvironment();
  deadlines = new Deadlines(environment);
});

/** Notes when it has expired. */
class Waiting implements Expiring {
  place = 0;
  expiredAt: number | undefined;
  expire(): void {
    this.expiredAt = environment.now();
  }
}

function waitingUntil(at: number): Waiting & { readonly key: number } {
  const waiting = new Waiting();
  return Object.assign(waiting, { key: deadlines.add(at, waiting) });
}

describe("deadlines", () => {
  test.each([1, 9, 10, 11, 137, 5000])("expire at %d ms at the earliest, and within the resolution", async (at) => {
    const waiting = waitingUntil(at);
    await environment.advance(6000);
    expect(waiting.expiredAt).toBeGreaterThanOrEqual(at);
    expect(waiting.expiredAt).toBeLessThanOrEqual(at + DEADLINE_RESOLUTION_MS);
  });

  test("share one timer, however many there are", () => {
    for (let at = 1; at < 1000; at += 7) waitingUntil(at);
    expect(environment.armed).toBe(1);
  });

  test("expire in their order, also when a nearer one comes later", async () => {
    const [far, near] = [waitingUntil(500), waitingUntil(50)];
    await environment.advance(60);
    expect([near.expiredAt, far.expiredAt]).toEqual([50, undefined]);
    await environment.advance(500);
    expect(far.expiredAt).toBe(500);
  });

  test("that were cleared never expire, and hold the process no longer", async () => {
    const [one, other] = [waitingUntil(50), waitingUntil(50)];
    deadlines.clear(one.key, one);
    expect(environment.holding).toBe(1);
    deadlines.clear(other.key, other);
    expect([deadlines.size, environment.holding]).toEqual([0, 0]);
    await environment.advance(100);
    expect([one.expiredAt, other.expiredAt]).toEqual([undefined, undefined]);
  });

  test("leave nothing armed for a bucket that is kept though nothing waits in it", async () => {
    const [one, other] = [waitingUntil(50), waitingUntil(500)];
    deadlines.clear(other.key, other);
    await environment.advance(100);
    expect(one.expiredAt).toBe(50);
    expect([environment.armed, environment.holding]).toEqual([0, 0]);
    const late = waitingUntil(500);
    expect(environment.holding).toBe(1);
    await environment.advance(500);
    expect(late.expiredAt).toBe(500);
  });

  test.each([1, 2, 3])("of calls one after the other keep one bucket, whatever order they end in (seed %d)", (seed) => {
    let state = seed;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
    const open: (Waiting & { readonly key: number })[] = [];
    for (let step = 0; step < 2000; step += 1) {
      if (open.length === 0 || random(2) === 0) open.push(waitingUntil(10_000 + 10 * random(40)));
      else {
        const [ended] = open.splice(random(open.length), 1) as [Waiting & { readonly key: number }]; // there is one
        deadlines.clear(ended.key, ended);
      }
      expect(deadlines.size).toBe(open.length);
      expect(environment.holding).toBe(open.length > 0 ? 1 : 0);
      expect(deadlines.buckets).toBeLessThanOrEqual(new Set(open.map(({ key }) => key)).size + 1);
    }
  });

  test("hold the process again when one is added while the timer rests", () => {
    const one = waitingUntil(50);
    deadlines.clear(one.key, one);
    waitingUntil(80);
    expect(environment.holding).toBe(1);
  });

  test("that are added while others expire are not lost", async () => {
    const late = new Waiting();
    deadlines.add(10, { place: 0, expire: () => void deadlines.add(30, late) });
    await environment.advance(40);
    expect(late.expiredAt).toBe(30);
  });

  test("all expire when they are closed, and leave no timer: calls that waited at close() hung for ever", () => {
    const [one, other] = [waitingUntil(50), waitingUntil(5000)];
    deadlines.close();
    expect([one.expiredAt, other.expiredAt, environment.armed]).toEqual([0, 0, 0]);
  });
});

describe("a call", () => {
  const makeCall = (timeoutMs: number, signal?: AbortSignal): Call =>
    new Call(environment, deadlines, timeoutMs, signal);
  const never = (): void => {};

  test("waits for what it waits for, and leaves no deadline", async () => {
    const wait = makeCall(100).wait<string>(
      (resolve) => void environment.schedule(50, () => resolve("done"), true),
      never,
    );
    await environment.advance(60);
    expect(await wait).toBe("done");
    expect(deadlines.size).toBe(0);
  });

  test.each([
    ["by its deadline", 100, Number.POSITIVE_INFINITY, "deadline"],
    ["by an earlier limit", 100, 40, "limit"],
    ["by its deadline where the limit is later", 100, 400, "deadline"],
  ])("ends %s", async (_, timeoutMs, limitMs, cause) => {
    const wait = makeCall(timeoutMs)
      .wait(never, (why) => why, limitMs)
      .catch((why: unknown) => why);
    await environment.advance(Math.min(timeoutMs, limitMs) + DEADLINE_RESOLUTION_MS);
    expect(await wait).toBe(cause);
  });

  test("ends by its signal at once, and stops listening to it", async () => {
    const controller = new AbortController();
    const wait = makeCall(100, controller.signal).wait(never, (why) => why);
    controller.abort();
    await expect(wait).rejects.toBe("aborted");
    expect(deadlines.size).toBe(0);
  });

  test("does not even begin to wait once its signal has fired", async () => {
    const begun: string[] = [];
    const wait = makeCall(100, AbortSignal.abort()).wait(
      () => void begun.push("begun"),
      (why) => why,
    );
    await expect(wait).rejects.toBe("aborted");
    expect(begun).toEqual([]);
  });

  test("passes on what the begin of the wait throws, and leaves no deadline", async () => {
    const wait = makeCall(100).wait(() => {
      throw new QueueFullError("a line", 3);
    }, never);
    await expect(wait).rejects.toBeInstanceOf(QueueFullError);
    expect(deadlines.size).toBe(0);
  });

  test("that rests goes on after the rest", async () => {
    let isOver = false;
    void makeCall(1000)
      .pause(50)
      .then(() => {
        isOver = true;
      });
    await environment.advance(40);
    expect(isOver).toBe(false);
    await environment.advance(30);
    expect(isOver).toBe(true);
  });

  test("that rests ends by its signal", async () => {
    const controller = new AbortController();
    const rest = makeCall(1000, controller.signal).pause(50);
    controller.abort("reason");
    await expect(rest).rejects.toBeInstanceOf(AbortedError);
  });

  test("is over from its deadline on", async () => {
    const call = makeCall(100);
    await environment.advance(99);
    expect(call.isOver).toBe(false);
    await environment.advance(1);
    expect(call.isOver).toBe(true);
  });
});

describe("those who wait in line", () => {
  const waiter = (name: string, log: string[]): { resolve: () => void; reject: (error: unknown) => void } => ({
    resolve: () => log.push(`${name} resolved`),
    reject: (error) => log.push(`${name} rejected: ${error}`),
  });

  test("are served in the order in which they came, less those who left", () => {
    const log: string[] = [];
    const line = new Waiters<void>("a line", 10);
    const [a, b, c] = [waiter("a", log), waiter("b", log), waiter("c", log)];
    for (const each of [a, b, c]) line.join(each);
    line.leave(b);
    line.leave(b);
    for (let next = line.shift(); next !== undefined; next = line.shift()) next.resolve();
    expect(log).toEqual(["a resolved", "c resolved"]);
    expect(line.size).toBe(0);
  });

  test("are at most as many as there may be", () => {
    const line = new Waiters<void>("a line", 2);
    line.join(waiter("a", []));
    line.join(waiter("b", []));
    expect(() => line.join(waiter("c", []))).toThrow("a line: 2 callers wait already");
    line.shift();
    expect(() => line.join(waiter("d", []))).not.toThrow();
  });

  test("can be taken from the middle, and sent away all at once", () => {
    const log: string[] = [];
    const line = new Waiters<void>("a line", 10);
    const all = ["a", "b", "c", "d"].map((name) => waiter(name, log));
    for (const each of all) line.join(each);
    expect(line.some((each) => each === all[2])).toBe(true);
    expect(line.take((each) => each === all[1] || each === all[2])).toEqual([all[1], all[2]]);
    line.rejectAll(() => "closed");
    expect(log).toEqual(["a rejected: closed", "d rejected: closed"]);
  });

  test("keep their order through thousands that come and go", async () => {
    const line = new Waiters<void>("a line", 10_000);
    const served: number[] = [];
    for (let index = 0; index < 5000; index += 1) {
      const one = { resolve: () => served.push(index), reject: () => {} };
      line.join(one);
      if (index % 3 === 0) line.leave(one);
      if (index % 2 === 0) line.shift()?.resolve();
    }
    for (let next = line.shift(); next !== undefined; next = line.shift()) next.resolve();
    await settle();
    expect(served).toEqual(Array.from({ length: 5000 }, (_, index) => index).filter((index) => index % 3 !== 0));
  });
});
