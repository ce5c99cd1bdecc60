import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BackupError } from "../errors.ts";
import { readWhole, type Store, writeWhole } from "../store/store.ts";
import type { FileFormat } from "./file.ts";
import { deriveKey, type KeyDerivation, type KeySource, newDerivation } from "./key.ts";
import { type Envelope, type Manifest, readEnvelope, writeEnvelope } from "./manifest.ts";
import { createOpener, createSealer } from "./seal.ts";

/** A backup without this file is not finished. */
export const MANIFEST = "manifest.json";

/** The encryption of a backup that is being written. */
export interface Encryption {
  readonly derivation: KeyDerivation;
  readonly key: Buffer;
}

export async function newEncryption(source: KeySource | undefined, id: string): Promise<Encryption | undefined> {
  if (source === undefined) return undefined;
  const derivation = newDerivation(source);
  return { derivation, key: await deriveKey(source, derivation, id) };
}

/** The manifest comes last: with it the backup is finished. */
export async function writeManifest(
  store: Store,
  file: string,
  id: string,
  body: unknown,
  encryption: Encryption | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const sealed = encryption === undefined ? body : await seal(encryption.key, file, body);
  await writeWhole(store, file, writeEnvelope(id, encryption?.derivation ?? null, sealed), signal);
}

/** A finished backup, its manifest read and checked. */
export interface OpenedBackup {
  readonly manifest: Manifest;
  readonly format: FileFormat;
}

/** @throws {BackupError} `NOT_FOUND` `UNFINISHED` `CORRUPT` `KEY_REQUIRED` `KEY_WRONG` */
export async function openBackup(
  store: Store,
  name: string | undefined,
  keySource: KeySource | undefined,
  signal?: AbortSignal,
): Promise<OpenedBackup> {
  const folder = name ?? (await latest(store, signal));
  const { body, key } = await readSealed<Manifest>(store, `${folder}/${MANIFEST}`, keySource, signal, async () => {
    const rest = await store.list(`${folder}/`, signal);
    if (rest.length === 0) return new BackupError("NOT_FOUND", `there is no backup ${folder} in ${store.description}`);
    return new BackupError(
      "UNFINISHED",
      `the backup ${folder} in ${store.description} has no manifest: it was not finished`,
    );
  });
  if (body.name !== folder)
    throw new BackupError("CORRUPT", `${folder}/${MANIFEST}: it is that of ${body.name}`, {
      subject: `${folder}/${MANIFEST}`,
    });
  return { manifest: body, format: { store, folder, compression: body.compression, key } };
}

/** Reads what {@link writeManifest} has written. */
export async function readSealed<T>(
  store: Store,
  file: string,
  keySource: KeySource | undefined,
  signal: AbortSignal | undefined,
  missing: () => Promise<BackupError>,
): Promise<{
  readonly id: string;
  readonly body: T;
  readonly key: Buffer | undefined;
  readonly derivation: KeyDerivation | null;
}> {
  const content = await readWhole(store, file, signal);
  if (content === undefined) throw await missing();
  const { id, encryption, body } = readEnvelope(content, file);
  if (encryption === null) return { id, body: body as T, key: undefined, derivation: null };
  if (keySource === undefined) throw new BackupError("KEY_REQUIRED", `${file}: it is encrypted, and no key was given`);
  const key = await deriveKey(keySource, encryption, id);
  return { id, body: await unseal<T>(key, file, body), key, derivation: encryption };
}

/** The names of the finished backups, oldest first. */
export async function finishedBackups(store: Store, signal?: AbortSignal): Promise<readonly string[]> {
  const objects = await store.list("", signal);
  const names = objects.flatMap(({ name }) =>
    name.endsWith(`/${MANIFEST}`) ? [name.slice(0, -MANIFEST.length - 1)] : [],
  );
  return names.sort();
}

async function latest(store: Store, signal: AbortSignal | undefined): Promise<string> {
  const name = (await finishedBackups(store, signal)).at(-1);
  if (name !== undefined) return name;
  throw new BackupError("NOT_FOUND", `there is no finished backup in ${store.description}`);
}

async function seal(key: Buffer, file: string, body: unknown): Promise<string> {
  const parts: Buffer[] = [];
  await pipeline(Readable.from([Buffer.from(JSON.stringify(body))]), createSealer(key, file), collect(parts));
  return Buffer.concat(parts).toString("base64");
}

async function unseal<T>(key: Buffer, file: string, body: Envelope["body"]): Promise<T> {
  const parts: Buffer[] = [];
  try {
    await pipeline(Readable.from([Buffer.from(String(body), "base64")]), createOpener(key, file), collect(parts));
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch (cause) {
    throw new BackupError("KEY_WRONG", `${file}: the key does not open it`, { cause, subject: file });
  }
}

const collect = (parts: Buffer[]): Writable =>
  new Writable({
    write(part: Buffer, _, done) {
      parts.push(part);
      done();
    },
  });
