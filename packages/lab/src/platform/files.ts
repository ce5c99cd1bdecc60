import { chown, mkdir, writeFile } from "node:fs/promises";
import type { Account } from "./account.ts";

/** Writes a file that belongs to the servers' account. */
export async function write(path: string, text: string, account: Account | undefined): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await give(path, account);
}

/** Hands a file over to the servers' account. */
export async function give(path: string, account: Account | undefined): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

/** Makes a folder for the servers' account, if it does not exist. */
export async function makeFolder(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { mode: 0o700, recursive: true });
  await give(path, account);
}
