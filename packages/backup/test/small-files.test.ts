import { randomBytes } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { compressions } from "../src/format/codec.ts";
import { readFile } from "../src/format/file.ts";
import { writeSmallFile } from "../src/format/write-small.ts";
import { folderStore } from "../src/index.ts";
import { newFolder, rejection } from "./support.ts";

const cases = compressions.flatMap((compression) => [undefined, randomBytes(32)].map((key) => ({ compression, key })));

test.each(cases)(
  "what is expected to be small is stored as all else, also where it is not: $compression",
  async (how) => {
    const format = { store: folderStore(newFolder()), folder: "backup", ...how };
    for (const size of [0, 1, 65_536, 65_537, 3_000_000]) {
      const content = Buffer.alloc(size, "some row of a table\n");
      let counted = 0;
      const onBytes = (count: number): void => {
        counted += count;
      };
      const stored = await writeSmallFile(format, `data/${size}`, parts(content), undefined, onBytes);
      expect(stored).toMatchObject({ file: `data/${size}`, bytes: size });
      expect(counted).toBe(size);
      const read: Buffer[] = [];
      const write = (part: Buffer, _: unknown, done: () => void): void => {
        read.push(Buffer.from(part));
        done();
      };
      await readFile(format, stored, new Writable({ write })); // checks size and SHA-256
      expect(Buffer.concat(read).equals(content)).toBe(true);
    }
  },
);

test.each([10, 100_000])("a source that fails after %i bytes leaves nothing", async (size) => {
  const format = { store: folderStore(newFolder()), folder: "backup", compression: "gzip", key: undefined } as const;
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.alloc(size);
    throw new Error("no more");
  };
  const writing = writeSmallFile(format, "data/1", Readable.from(failing()), undefined, () => {});
  expect(await rejection(writing)).toMatchObject({ message: "no more" });
  expect(await format.store.list("")).toEqual([]);
});

function parts(content: Buffer): Readable {
  const size = 40_000;
  const count = Math.ceil(content.length / size);
  return Readable.from(Array.from({ length: count }, (_, at) => content.subarray(at * size, (at + 1) * size)));
}
