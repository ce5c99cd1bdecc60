import { uuidText } from "./uuid-text.ts";

/**
 * The GTID of an event that has a tag (MySQL 8.3 and later). It is one message of fields, each behind its number, in their order:
 * flags, the sixteen bytes of the server's uuid, the transaction's number, the tag; what follows is not needed.
 */
export function readTaggedGtid(bytes: Buffer): string {
  const fields = new Fields(bytes);
  const version = fields.number();
  if (version !== 1n) throw new Error(`a GTID with a tag in a form that is not known (${version})`);
  fields.number(); // the size
  fields.number(); // the last field that must be understood
  let source = "";
  let number = 0n;
  let tag = "";
  for (;;) {
    switch (fields.number()) {
      case 0n:
        fields.number();
        break;
      case 1n:
        source = uuidText(Buffer.from(Array.from({ length: 16 }, () => Number(fields.number()))));
        break;
      case 2n: {
        const value = fields.number();
        number = value >> 1n; // the lowest bit is the sign, and it has none
        break;
      }
      case 3n:
        tag = fields.text(Number(fields.number()));
        return `${source}:${tag}:${number}`;
      default:
        return `${source}:${number}`;
    }
  }
}

class Fields {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** As many more bytes as the first one has ones at its end; the rest of it are the lowest bits. */
  number(): bigint {
    const first = this.#bytes[this.#at++] ?? 0;
    let more = 0;
    while (more < 8 && ((first >> more) & 1) === 1) more += 1;
    let rest = 0n;
    for (let index = 0; index < more; index += 1) rest |= BigInt(this.#bytes[this.#at++] ?? 0) << BigInt(8 * index);
    return more === 8 ? rest : (BigInt(first) >> BigInt(more + 1)) | (rest << BigInt(7 - more));
  }

  text(length: number): string {
    this.#at += length;
    return this.#bytes.toString("latin1", this.#at - length, this.#at);
  }
}
