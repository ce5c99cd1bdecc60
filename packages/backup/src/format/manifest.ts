import { createHash } from "node:crypto";
import type { Constraints, Form, NeutralType } from "@mirrorpool/sync/for-other-jobs";
import { BackupError } from "../errors.ts";
import type { Compression } from "./codec.ts";
import type { KeyDerivation } from "./key.ts";

/**
 * How rows are written: `text` as lines of COPY's text format, `binary` as COPY's binary form, which is read by PostgreSQL servers of the
 * same major version, into columns of the same types.
 */
export type RowForm = "text" | "binary";

/** A column in no system's words, and the form in which its values are written. */
export interface BackedUpColumn {
  readonly name: string;
  readonly neutral: NeutralType;
  /** Undefined: as PostgreSQL writes it by itself. */
  readonly form?: Form;
  readonly isNullable: boolean;
  /** The server counts it up where a row does not name it. */
  readonly isCounted: boolean;
}

/** A table of a backup, in the names of its source. */
export interface BackedUpTable {
  /** On MariaDB and MySQL `public` is the database. */
  readonly schema: string;
  readonly name: string;
  /** Without generated ones. */
  readonly columns: readonly string[];
  /** Of the columns, as the server writes them. */
  readonly types: readonly string[];
  readonly form: RowForm;
  /** The same columns in no system's words. */
  readonly neutral?: readonly BackedUpColumn[];
  /** Columns of the primary key, where there is one. */
  readonly key?: readonly string[];
  /** Columns that the server computes, where there are some. */
  readonly generated?: readonly string[];
  /** The partitioned table that it is a part of, at the top. */
  readonly root?: QualifiedName;
  readonly rows: number;
}

/** A sequence, or a table that counts, and how far it had come. */
export interface BackedUpSequence {
  readonly schema: string;
  readonly name: string;
  readonly lastValue: string;
  readonly isCalled: boolean;
  /** The column of a table that PostgreSQL gives its values. */
  readonly of?: QualifiedName & { readonly column: string };
}

export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

/** One stored file. */
export interface StoredFile {
  /** Under the backup's own folder. */
  readonly file: string;
  /** Of the content. */
  readonly bytes: number;
  /** As it is stored: compressed, and perhaps encrypted. */
  readonly storedBytes: number;
  /** Of what is stored. */
  readonly sha256: string;
}

/** What the names of chunks begin with, and no others. */
export const DATA = "data/";

/** A part of a table, or a whole one. */
export interface BackedUpChunk extends StoredFile {
  /** Its place in `tables`. */
  readonly table: number;
  readonly rows: number;
}

/** Where in the life of its source a backup stands. */
export interface SourcePosition {
  readonly system: "postgresql" | "mariadb" | "mysql";
  /** Such as 150018 (15.18) and 101119 (10.11.19). */
  readonly serverVersion: number;
  readonly database: string;
  readonly node: string;
  readonly role: "primary" | "mirror";
  /** Of MariaDB and MySQL, which have nothing that a cluster is known by: the nodes that the pool knows. */
  readonly systemId: string;
  /** When the server process began. */
  readonly instance: string;
  /** Undefined where the node could not tell. */
  readonly timeline: number | undefined;
  /** LSN or GTID: all that was committed up to here is in the backup, and perhaps a little more. */
  readonly position: string;
  /** Which transactions it sees, in the server's own words. */
  readonly snapshot: string;
}

/** What a finished backup consists of. */
export interface Manifest {
  readonly id: string;
  readonly name: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly source: SourcePosition;
  readonly compression: Compression;
  /** The definitions, in two parts: what comes before the data, and what after. */
  readonly schema:
    | {
        readonly isIncluded: true;
        /** The version of `pg_dump`; MariaDB and MySQL tell their definitions themselves. */
        readonly pgDump?: string;
        readonly before: StoredFile;
        readonly after: StoredFile;
        /** What of them could not be read. */
        readonly missing?: readonly string[];
      }
    | { readonly isIncluded: false; readonly reason: string };
  readonly tables: readonly BackedUpTable[];
  readonly sequences: readonly BackedUpSequence[];
  /** Materialized views with content, which a restore makes anew. */
  readonly materializedViews: readonly QualifiedName[];
  /** Indexes and foreign keys, for a restore into another system; backups of before tell of none. */
  readonly constraints?: Constraints;
  readonly chunks: readonly BackedUpChunk[];
  /** What is not in the backup, and whoever restores it should know. */
  readonly warnings: readonly string[];
}

const FORMAT = "mirrorpool-backup";
const VERSION = 1;

/** What stands in the open in a manifest's file. */
export interface Envelope {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly id: string;
  readonly encryption: KeyDerivation | null;
  /** Of the body's text as it stands. */
  readonly sha256: string;
  /** The manifest; encrypted and in base64 where there is a key. */
  readonly body: unknown;
}

export function writeEnvelope(id: string, encryption: KeyDerivation | null, body: unknown): Buffer {
  const envelope: Envelope = { format: FORMAT, version: VERSION, id, encryption, sha256: digest(body), body };
  return Buffer.from(`${JSON.stringify(envelope)}\n`);
}

/** @throws {BackupError} `CORRUPT` for what is none, or was changed */
export function readEnvelope(content: Buffer, file: string): Envelope {
  let found: Partial<Envelope>;
  try {
    found = JSON.parse(content.toString("utf8"));
  } catch (cause) {
    throw new BackupError("CORRUPT", `${file}: it is truncated or no manifest`, { cause, subject: file });
  }
  if (typeof found !== "object" || found === null || found.format !== FORMAT || typeof found.id !== "string")
    throw new BackupError("CORRUPT", `${file}: it is no manifest of a backup`, { subject: file });
  if (found.version !== VERSION)
    throw new BackupError(
      "NOT_SUPPORTED",
      `${file}: format ${String(found.version)}, and this version reads ${VERSION}`,
    );
  if (found.sha256 !== digest(found.body))
    throw new BackupError("CORRUPT", `${file}: its content was changed`, { subject: file });
  return found as Envelope; // its parts were checked above; the body is checked by its digest
}

const digest = (body: unknown): string => createHash("sha256").update(JSON.stringify(body)).digest("hex");
