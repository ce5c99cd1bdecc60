import { hkdfSync, randomBytes, scrypt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { BackupError } from "../errors.ts";

/** What a backup is encrypted with: one of the two. */
export type KeySource = { readonly passphrase: string } | { readonly keyFile: string };

/** How the key came about; stored in the open, beside the backup. */
export type KeyDerivation =
  | { readonly type: "file" }
  | { readonly type: "scrypt"; readonly salt: string; readonly cost: number; readonly blockSize: number };

/** 64 MiB and about 0.2 s for each guess. */
const SCRYPT = { cost: 1 << 16, blockSize: 8 } as const;
/** A manifest from elsewhere must not ask for more memory than this. */
const MAX_SCRYPT_BYTES = 256 * 1024 ** 2;
const KEY_BYTES = 32;

export function newDerivation(source: KeySource): KeyDerivation {
  if ("keyFile" in source) return { type: "file" };
  return { type: "scrypt", salt: randomBytes(16).toString("base64"), ...SCRYPT };
}

/** The key of one backup: each has its own, so that no file of one can stand in for that of another. */
export async function deriveKey(source: KeySource, derivation: KeyDerivation, backupId: string): Promise<Buffer> {
  const master = await masterKey(source, derivation);
  return Buffer.from(hkdfSync("sha256", master, backupId, "mirrorpool backup 1", KEY_BYTES));
}

async function masterKey(source: KeySource, derivation: KeyDerivation): Promise<Buffer> {
  if ("keyFile" in source) {
    if (derivation.type === "file") return readKeyFile(source.keyFile);
    throw new BackupError("KEY_WRONG", "the backup was encrypted with a passphrase, and a key file was given");
  }
  if (derivation.type !== "scrypt")
    throw new BackupError("KEY_WRONG", "the backup was encrypted with a key file, and a passphrase was given");
  const { cost, blockSize, salt } = derivation;
  const bytes = 128 * cost * blockSize;
  if (!(bytes > 0 && bytes <= MAX_SCRYPT_BYTES))
    throw new BackupError("CORRUPT", "the manifest asks for a costlier derivation of the key than any that we write");
  return new Promise((resolve, reject) => {
    scrypt(
      source.passphrase.normalize("NFC"),
      Buffer.from(salt, "base64"),
      KEY_BYTES,
      { N: cost, r: blockSize, p: 1, maxmem: 2 * bytes },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}

/** 32 random bytes: as they are, or in hexadecimal, or in base64. */
async function readKeyFile(path: string): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (cause) {
    throw new BackupError("KEY_REQUIRED", `the key file ${path} cannot be read`, { cause });
  }
  if (content.length === KEY_BYTES) return content;
  const text = content.toString("latin1").trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, "base64");
  throw new BackupError(
    "KEY_WRONG",
    `the key file ${path} is no key: 32 bytes, as they are or in hexadecimal or base64 (openssl rand -hex 32)`,
  );
}
