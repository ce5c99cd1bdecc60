import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { type CallSignal, either, Interruption, listened } from "../src/interruption.ts";

/** Counts how often it is told. */
class Listener {
  calls = 0;
  readonly once = { once: true } as const;

  handleEvent(): void {
    this.calls += 1;
  }

  listenTo(signal: CallSignal): void {
    signal.addEventListener("abort", this, this.once);
  }
}

test("all calls with one signal have one relay, which listens only as long as one of them does", () => {
  const controller = new AbortController();
  const signal = listened(controller.signal) as CallSignal; // there is one
  expect(listened(controller.signal)).toBe(signal);
  const [one, other] = [new Listener(), new Listener()];
  for (const listener of [one, other]) listener.listenTo(signal);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
  signal.removeEventListener("abort", one);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
  signal.removeEventListener("abort", other);
  expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  other.listenTo(signal);
  const reason = new Error("enough");
  controller.abort(reason);
  expect([one.calls, other.calls]).toEqual([0, 1]);
  expect([signal.aborted, signal.reason]).toEqual([true, reason]);
});

test("a signal that takes no properties is listened to itself", () => {
  const { signal } = new AbortController();
  Object.freeze(signal);
  expect(listened(signal)).toBe(signal);
});

test.each(["one", "other"] as const)("either fires with %s of two, and lets go of both", (which) => {
  const controller = new AbortController();
  const interruption = new Interruption();
  const signal = either(controller.signal, interruption) as CallSignal; // there are two
  const listener = new Listener();
  listener.listenTo(signal);
  expect(signal.aborted).toBe(false);
  if (which === "one") controller.abort(which);
  else interruption.fire(which);
  expect(listener.calls).toBe(1);
  expect([signal.aborted, signal.reason]).toEqual([true, which]);
  signal.removeEventListener("abort", listener);
  if (which === "one") interruption.fire("late");
  else controller.abort("late");
  expect(listener.calls).toBe(1);
});

test("either of one is that one", () => {
  const interruption = new Interruption();
  expect(either(undefined, interruption)).toBe(interruption);
  expect(either(interruption, undefined)).toBe(interruption);
  expect(either(undefined, undefined)).toBeUndefined();
});
