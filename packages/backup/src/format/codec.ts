import type { Transform } from "node:stream";
import zlib from "node:zlib";
import { BackupError } from "../errors.ts";

export const compressions = ["zstd", "gzip", "none"] as const;

/** How chunks are compressed. */
export type Compression = (typeof compressions)[number];

/**
 * Within 128 KiB, which with what belongs to it stays in a processor's own cache: a third faster than the usual 512 KiB, for some hundredths of
 * the size. gzip looks back over 32 KiB.
 */
const ZSTD: Readonly<Record<number, number>> = {
  [zlib.constants.ZSTD_c_compressionLevel]: 1,
  [zlib.constants.ZSTD_c_windowLog]: 17,
};

/** Node.js has it from 22.15 and 23.8 on. */
export const hasZstd: boolean = typeof zlib.createZstdCompress === "function";

/**
 * Level 1 of both: the others cost several times as much for a tenth of the size.
 * @param onConsumed is called for each part that it needs no more
 */
export function createCompressor(
  compression: Compression,
  onConsumed: (part: Buffer) => void = () => {},
): Transform | undefined {
  switch (compression) {
    case "zstd":
      requireZstd();
      return telling(zlib.createZstdCompress({ params: ZSTD, chunkSize: 1 << 18 }), onConsumed);
    case "gzip":
      return telling(zlib.createGzip({ level: 1, chunkSize: 1 << 18 }), onConsumed);
    case "none":
      return undefined;
    default:
      return compression satisfies never;
  }
}

/** At once and in memory: a stream of its own takes longer for a few rows than all else that is done with them. */
export function compressSmall(compression: Compression, content: Uint8Array): Uint8Array {
  switch (compression) {
    case "zstd":
      requireZstd();
      return zlib.zstdCompressSync(content, { params: ZSTD });
    case "gzip":
      return zlib.gzipSync(content, { level: 1 });
    case "none":
      return content;
    default:
      return compression satisfies never;
  }
}

/** A part is consumed when the next one is asked for. */
function telling(codec: Transform, onConsumed: (part: Buffer) => void): Transform {
  const transform = codec._transform.bind(codec);
  codec._transform = (part: Buffer, encoding, done) =>
    transform(part, encoding, (error, result) => {
      onConsumed(part);
      done(error, result);
    });
  return codec;
}

/** @param onConsumed is called for each part that it needs no more */
export function createDecompressor(
  compression: Compression,
  onConsumed: (part: Buffer) => void = () => {},
): Transform | undefined {
  switch (compression) {
    case "zstd":
      requireZstd();
      return telling(zlib.createZstdDecompress({ chunkSize: 1 << 18 }), onConsumed);
    case "gzip":
      return telling(zlib.createGunzip({ chunkSize: 1 << 18 }), onConsumed);
    case "none":
      return undefined;
    default:
      return compression satisfies never;
  }
}

export const fileEndings: Readonly<Record<Compression, string>> = { zstd: ".zst", gzip: ".gz", none: "" };

function requireZstd(): void {
  if (hasZstd) return;
  throw new BackupError(
    "CODEC_MISSING",
    `the chunks are compressed with zstd, which Node.js has from 22.15 on, and this is ${process.versions.node}`,
  );
}
