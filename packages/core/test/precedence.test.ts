import { beforeEach, describe, expect, test } from "vitest";
import { Call } from "../src/call.ts";
import { Deadlines } from "../src/deadlines.ts";
import { AbortedError } from "../src/errors.ts";
import { Precedence } from "../src/session/precedence.ts";
import { HeldEnvironment } from "./held-environment.ts";

let environment: HeldEnvironment;
let deadlines: Deadlines;
let precedence: Precedence;

beforeEach(() => {
  environment = new HeldEnvironment();
  deadlines = new Deadlines(environment);
  precedence = new Precedence(environment);
});

/** Something that is run again until its end is called. */
function resuming(node: string): () => void {
  let end = (): void => {};
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  void precedence.during(node, () => work);
  return end;
}

/** A new write, and when it went. */
function waiting(signal?: AbortSignal, timeoutMs: number = 30_000): { wentAt?: number; error?: unknown } {
  const write: { wentAt?: number; error?: unknown } = {};
  const call = new Call(environment, deadlines, timeoutMs, signal);
  precedence.wait(call).then(
    () => {
      write.wentAt = environment.now();
    },
    (error) => {
      write.error = error;
    },
  );
  return write;
}

describe("what was under way on a node that is lost goes first", () => {
  test("new writes wait for all of it, and for nothing that was lost with the very node that they go to", async () => {
    expect(precedence.isOpen).toBe(true);
    const ends = [resuming("a"), resuming("a")];
    expect([precedence.isOpen, precedence.mayGo("a"), precedence.mayGo("b")]).toEqual([false, true, false]);
    const write = waiting();
    ends[0]?.();
    await environment.advance(100);
    expect(write.wentAt).toBeUndefined();
    ends[1]?.();
    await environment.advance(100);
    expect(write.wentAt).toBe(100);
    expect(precedence.isOpen).toBe(true);
  });

  test("what was settled may be run again right after: nobody goes in between", async () => {
    const end = resuming("a");
    const write = waiting();
    end();
    const endOfReplay = resuming("a");
    await environment.advance(10);
    expect(write.wentAt).toBeUndefined();
    endOfReplay();
    await environment.advance(10);
    expect(write.wentAt).toBe(10);
  });

  test("they wait no longer than a second, and then not again before all is through", async () => {
    const end = resuming("a");
    const first = waiting();
    await environment.advance(600);
    const second = waiting();
    await environment.advance(600);
    expect([first.wentAt, second.wentAt]).toEqual([1000, 1000]);
    const other = resuming("b");
    expect(precedence.isOpen).toBe(true);
    end();
    other();
    await environment.advance(1);
    resuming("a");
    expect(precedence.isOpen).toBe(false);
  });

  test("a call that is over waits no longer, and one that is aborted says so", async () => {
    const end = resuming("a");
    const abort = new AbortController();
    const [short, aborted] = [waiting(undefined, 50), waiting(abort.signal)];
    abort.abort();
    await environment.advance(100);
    expect(short.wentAt).toBeLessThanOrEqual(100);
    expect(aborted.error).toBeInstanceOf(AbortedError);
    end();
    await environment.advance(2);
    expect(precedence.isOpen).toBe(true);
  });
});
