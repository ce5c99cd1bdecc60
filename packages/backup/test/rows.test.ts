import { describe, expect, test } from "vitest";
import { RowCounter, RowReader } from "../src/format/rows.ts";
import { Unframer } from "../src/postgres/unframer.ts";

const number = (value: number, bytes: 2 | 4): Buffer => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 2) buffer.writeInt16BE(value);
  else buffer.writeInt32BE(value);
  return buffer;
};
/** A row in the binary form; null has no bytes. */
const row = (...fields: (string | null)[]): Buffer =>
  Buffer.concat([
    number(fields.length, 2),
    ...fields.flatMap((field) =>
      field === null ? [number(-1, 4)] : [number(Buffer.byteLength(field), 4), Buffer.from(field)],
    ),
  ]);
const rows = [row("a", null, ""), row("x".repeat(300)), row(), row(null), row("\n\0", "b")];
const head = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), number(0, 4), number(0, 4)]);
const binary = Buffer.concat([head, ...rows, number(-1, 2)]);
const texts = ["1\tone", "", "x".repeat(300), "\\N\\n"].map((text) => Buffer.from(text));
const lines = Buffer.concat(texts.map((text) => Buffer.concat([text, Buffer.from("\n")])));
const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 19, 20, 64, 10_000];

describe.each([
  ["binary", binary, rows],
  ["text", lines, texts],
] as const)("rows in %s form", (form, content, expected) => {
  test.each(sizes)("are found in pieces of %i bytes", async (size) => {
    const found: Buffer[] = [];
    let begun: Buffer[] = [];
    const reader = new RowReader(form, (piece, isEnd) => {
      begun.push(piece);
      if (!isEnd) return;
      found.push(Buffer.concat(begun));
      begun = [];
    });
    const counter = new RowCounter(form);
    for (let at = 0; at < content.length; at += size) {
      reader.write(content.subarray(at, at + size));
      counter.write(content.subarray(at, at + size));
    }
    await Promise.all([reader, counter].map((each) => new Promise<void>((resolve) => each.end(resolve))));
    expect(found).toEqual(expected);
    expect(counter.count).toBe(expected.length);
  });
});

describe("messages of COPY", () => {
  const contents = ["one\n", "", "x".repeat(3_000_000), "end"].map((text) => Buffer.from(text));
  const framed = Buffer.concat(
    contents.flatMap((content) => [Buffer.from("d"), number(content.length + 4, 4), content]),
  );
  test.each([...sizes.filter((size) => size > 3), 65_536, 10_000_000])(
    "are put together from pieces of %i bytes",
    (size) => {
      const batches: Buffer[] = [];
      const take = (batch: Buffer): boolean => {
        batches.push(batch);
        return false;
      };
      const unframer = new Unframer(take, () => Buffer.allocUnsafe(1 << 20));
      let isWelcome = true;
      for (let at = 0; at < framed.length; at += size)
        isWelcome = unframer.take(framed.subarray(at, at + size)) && isWelcome;
      unframer.flush();
      expect(Buffer.concat(batches).equals(Buffer.concat(contents))).toBe(true);
      expect(isWelcome).toBe(false);
    },
  );
});
