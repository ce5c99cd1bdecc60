import type { ChangedRow } from "../model.ts";

/** A position in the WAL as a number. */
export type Lsn = bigint;

export function parseLsn(text: string): Lsn {
  const [high = "", low = ""] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}

export const formatLsn = (lsn: Lsn): string =>
  `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();

interface RelationColumn {
  readonly name: string;
  readonly type: number;
  readonly modifier: number;
}

/** A table as it is at this place of the stream. */
export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly RelationColumn[];
}

export type Message =
  | { readonly type: "begin"; readonly commitLsn: Lsn; readonly committedAt: number }
  | { readonly type: "commit"; readonly endLsn: Lsn; readonly committedAt: number }
  | { readonly type: "relation"; readonly relation: Relation }
  | { readonly type: "insert"; readonly relation: number; readonly row: ChangedRow }
  | {
      readonly type: "update";
      readonly relation: number;
      readonly old: ChangedRow | undefined;
      readonly row: ChangedRow;
    }
  | { readonly type: "delete"; readonly relation: number; readonly old: ChangedRow }
  | {
      readonly type: "truncate";
      readonly relations: readonly number[];
      readonly isCascade: boolean;
      readonly restartsIdentity: boolean;
    }
  | { readonly type: "other" };

/** 2000-01-01, where PostgreSQL's time begins, in milliseconds of ours. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/**
 * One message of the plug-in pgoutput, protocol version 1 (documentation, "Logical Replication Message Formats"). Everything is
 * copied out of the bytes, which the library uses again.
 */
export function parseMessage(bytes: Buffer): Message {
  const reader = new Reader(bytes);
  const code = String.fromCharCode(reader.byte());
  switch (code) {
    case "B": {
      const commitLsn = reader.lsn();
      return { type: "begin", commitLsn, committedAt: reader.time() };
    }
    case "C": {
      reader.byte();
      reader.lsn();
      const endLsn = reader.lsn();
      return { type: "commit", endLsn, committedAt: reader.time() };
    }
    case "R":
      return { type: "relation", relation: readRelation(reader) };
    case "I": {
      const relation = reader.int32();
      reader.byte();
      return { type: "insert", relation, row: readTuple(reader) };
    }
    case "U": {
      const relation = reader.int32();
      const kind = String.fromCharCode(reader.byte());
      const old = kind === "N" ? undefined : readTuple(reader);
      if (old !== undefined) reader.byte();
      return { type: "update", relation, old, row: readTuple(reader) };
    }
    case "D": {
      const relation = reader.int32();
      reader.byte();
      return { type: "delete", relation, old: readTuple(reader) };
    }
    case "T": {
      const count = reader.int32();
      const flags = reader.byte();
      const relations = Array.from({ length: count }, () => reader.int32());
      return { type: "truncate", relations, isCascade: (flags & 1) !== 0, restartsIdentity: (flags & 2) !== 0 };
    }
    default:
      return { type: "other" };
  }
}

function readRelation(reader: Reader): Relation {
  const id = reader.int32();
  const schema = reader.text();
  const name = reader.text();
  reader.byte();
  const columns = Array.from({ length: reader.int16() }, () => {
    reader.byte();
    return { name: reader.text(), type: reader.int32(), modifier: reader.signed32() };
  });
  // an empty schema is pg_catalog's
  return { id, schema: schema === "" ? "pg_catalog" : schema, name, columns };
}

function readTuple(reader: Reader): ChangedRow {
  const values: (string | null | undefined)[] = [];
  for (let left = reader.int16(); left > 0; left -= 1) {
    const kind = String.fromCharCode(reader.byte());
    if (kind === "n") values.push(null);
    else if (kind === "u") values.push(undefined);
    else values.push(reader.sized());
  }
  return values;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  signed32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  lsn(): Lsn {
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  time(): number {
    this.#at += 8;
    return POSTGRES_EPOCH_MS + Number(this.#bytes.readBigInt64BE(this.#at - 8)) / 1000;
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end + 1;
    return text;
  }

  sized(): string {
    const length = this.int32();
    this.#at += length;
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }
}
