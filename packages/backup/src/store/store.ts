import type { Readable } from "node:stream";

/** One stored object. */
export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Where backups are kept. Names are paths of letters, digits, `.`, `-`, `_` and `/`. A store of your own passes the same tests when it
 * keeps to this: an object is there whole or not at all, and one that was written is there for who reads next.
 */
export interface Store {
  /** For messages; without credentials. */
  readonly description: string;
  /** All objects whose names begin so, in any order. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]>;
  /** @returns undefined where there is no such object */
  read(name: string, signal?: AbortSignal): Promise<Readable | undefined>;
  /**
   * Replaces what is there. When the content fails, or the signal fires, nothing is left under the name.
   * @param onWritten may be called for each part, in their order, once it is needed no more
   */
  write(
    name: string,
    content: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
    onWritten?: (part: Uint8Array) => void,
  ): Promise<void>;
  /** Idempotent. */
  remove(name: string, signal?: AbortSignal): Promise<void>;
}

/** Reads a small object whole. @returns undefined where there is none */
export async function readWhole(store: Store, name: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const stream = await store.read(name, signal);
  if (stream === undefined) return undefined;
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export async function writeWhole(store: Store, name: string, content: Uint8Array, signal?: AbortSignal): Promise<void> {
  await store.write(name, only(content), signal);
}

async function* only(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
