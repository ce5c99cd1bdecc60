import { describe, expect, test } from "vitest";
import { CopyFrames } from "../src/copy/copy-frames.ts";

describe("the walk over COPY's messages", () => {
  const message = (code: string, body: string): Buffer => {
    const bytes = Buffer.alloc(5 + body.length);
    bytes.write(code);
    bytes.writeUInt32BE(4 + body.length, 1);
    bytes.write(body, 5);
    return bytes;
  };
  const data = [message("d", "one\n"), message("d", ""), message("d", "x".repeat(300))];
  const notice = message("N", "careful");
  const all = Buffer.concat([
    message("H", "\0\0\0"),
    ...data.slice(0, 2),
    notice,
    ...data.slice(2),
    message("c", ""),
    message("C", "COPY 3"),
    message("Z", "I"),
  ]);
  const ends = Buffer.concat([message("C", "COPY 3"), message("Z", "I")]);

  test.each([1, 2, 3, 4, 5, 6, 7, 64, 1000])("hands on every byte of the data, in pieces of %i bytes", (size) => {
    const frames = new CopyFrames();
    const seen: Uint8Array[] = [];
    const others: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += size) {
      const found = frames.walk(all.subarray(at, at + size));
      seen.push(...found.data);
      others.push(...found.others);
      if (found.rest === undefined) continue;
      expect(found.isComplete).toBe(true);
      expect(Buffer.concat([found.rest, all.subarray(at + size)])).toEqual(ends);
      break;
    }
    expect(Buffer.concat(seen)).toEqual(Buffer.concat(data));
    expect(Buffer.concat(others)).toEqual(notice);
  });

  test("stops before an error, which is the library's", () => {
    const error = message("E", "wrong");
    const found = new CopyFrames().walk(Buffer.concat([message("H", "\0\0\0"), ...data, error]));
    expect(found.isComplete).toBe(false);
    expect(Buffer.concat([found.rest ?? new Uint8Array()])).toEqual(error);
  });
});
