import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Outbox } from "../src/outbox.ts";

/** Notes what leaves, one entry for each write. */
function wire(left: string[]): Writable {
  const note = (chunks: { chunk: Buffer }[], done: () => void): void => {
    left.push(chunks.map(({ chunk }) => String(chunk)).join(""));
    done();
  };
  return new Writable({ writev: note, write: (chunk, _, done) => note([{ chunk }], done) });
}

/** One that has had several statements in the turn before. */
async function busy(now: () => number = () => 0): Promise<Outbox> {
  const outbox = new Outbox(now);
  const streams = [wire([]), wire([])];
  for (const stream of streams) {
    outbox.hold(stream);
    stream.write("x");
  }
  await turn();
  return outbox;
}

test("what is written in one turn leaves at its end, in one write for each stream", async () => {
  const left: string[] = [];
  const outbox = await busy();
  const [one, other] = [wire(left), wire(left)];
  for (const [stream, text] of [
    [one, "a"],
    [other, "b"],
    [one, "c"],
  ] as const) {
    outbox.hold(stream);
    stream.write(text);
    await Promise.resolve();
  }
  expect(left).toEqual([]);
  await turn();
  expect(left).toEqual(["ac", "b"]);
  one.write("d");
  expect(left).toEqual(["ac", "b", "d"]);
});

test("after quiet turns a statement leaves at once, unless it comes right after another one", async () => {
  const left: string[] = [];
  let now = 0;
  const outbox = await busy(() => now);
  const [one, other] = [wire(left), wire(left)];
  for (let count = 0; count < 20; count += 1) {
    now += 1;
    outbox.hold(one);
    one.write(".");
    await turn();
  }
  left.length = 0;
  now += 1;
  outbox.hold(one);
  one.write("first");
  expect(left).toEqual(["first"]);
  now += 0.05;
  outbox.hold(other);
  other.write("second");
  expect(left).toEqual(["first"]);
  await turn();
  expect(left).toEqual(["first", "second"]);
});

test("a long turn does not hold it back for as long", async () => {
  const left: string[] = [];
  let now = 0;
  const outbox = await busy(() => now);
  const [one, other] = [wire(left), wire(left)];
  outbox.hold(one);
  one.write("early");
  now = 5;
  outbox.hold(other);
  other.write("late");
  expect(left).toEqual(["early", "late"]);
});

test("a stream that is destroyed meanwhile does no harm", async () => {
  const left: string[] = [];
  const outbox = await busy();
  const [one, other] = [wire(left), wire(left)];
  for (const stream of [one, other]) {
    outbox.hold(stream);
    stream.write("x");
  }
  one.destroy();
  await turn();
  expect(left).toEqual(["x"]);
});
