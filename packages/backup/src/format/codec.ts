import type { Duplex, Transform } from "node:stream";
import zlib from "node:zlib";
import { BackupError } from "../errors.ts";

export const compressions = ["zstd", "gzip", "none"] as const;

/** How chunks are compressed. */
export type Compression = (typeof compressions)[number];

/** Node.js has it from 22.15 and 23.8 on. */
export const hasZstd: boolean = typeof zlib.createZstdCompress === "function";

/** Level 1 of both: the others cost several times as much for a tenth of the size. */
export function createCompressor(compression: Compression): Transform | undefined {
  switch (compression) {
    case "zstd":
      requireZstd();
      return zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_compressionLevel]: 1 }, chunkSize: 1 << 18 });
    case "gzip":
      return zlib.createGzip({ level: 1, chunkSize: 1 << 18 });
    case "none":
      return undefined;
    default:
      return compression satisfies never;
  }
}

export function createDecompressor(compression: Compression): Duplex | undefined {
  switch (compression) {
    case "zstd":
      requireZstd();
      return zlib.createZstdDecompress({ chunkSize: 1 << 18 });
    case "gzip":
      return zlib.createGunzip({ chunkSize: 1 << 18 });
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
