import { createCipheriv, createDecipheriv, type DecipherGCM, randomBytes } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { BackupError } from "../errors.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";

/**
 * Encrypts a file: nonce, content, tag (AES-256-GCM). Its name is authenticated with it: another file of the same backup is refused
 * in its place.
 */
export function createSealer(key: Buffer, name: string): Transform {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name));
  let isBegun = false;
  return new Transform({
    transform(part: Buffer, _, done) {
      if (!isBegun) this.push(nonce);
      isBegun = true;
      done(null, cipher.update(part));
    },
    flush(done) {
      if (!isBegun) this.push(nonce);
      cipher.final();
      done(null, cipher.getAuthTag());
    },
  });
}

/** Decrypts what {@link createSealer} has made. What it gives is certain only once it has ended without an error. */
export function createOpener(key: Buffer, name: string): Transform {
  return new Opener(key, name);
}

class Opener extends Transform {
  readonly #key: Buffer;
  readonly #name: string;
  #decipher: DecipherGCM | undefined;
  #held: Buffer = Buffer.alloc(0);

  constructor(key: Buffer, name: string) {
    super();
    this.#key = key;
    this.#name = name;
  }

  override _transform(part: Buffer, _: BufferEncoding, done: TransformCallback): void {
    let content = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
    if (this.#decipher === undefined && content.length >= NONCE_BYTES) {
      const nonce = content.subarray(0, NONCE_BYTES);
      this.#decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
      this.#decipher.setAAD(Buffer.from(this.#name));
      content = content.subarray(NONCE_BYTES);
    }
    // the last bytes may be the tag
    const end = this.#decipher === undefined ? 0 : Math.max(0, content.length - TAG_BYTES);
    this.#held = content.subarray(end);
    done(null, end === 0 ? undefined : this.#decipher?.update(content.subarray(0, end)));
  }

  override _flush(done: TransformCallback): void {
    try {
      if (this.#decipher === undefined || this.#held.length !== TAG_BYTES) throw new Error("it is truncated");
      this.#decipher.setAuthTag(this.#held);
      done(null, this.#decipher.final());
    } catch (cause) {
      const message = `${this.#name}: it was tampered with, truncated, or sealed with another key`;
      done(new BackupError("CORRUPT", message, { cause, subject: this.#name }));
    }
  }
}
