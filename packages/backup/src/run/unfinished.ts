import type { Constraints } from "@mirrorpool/sync/for-other-jobs";
import { BackupError } from "../errors.ts";
import type { Compression } from "../format/codec.ts";
import type { KeySource } from "../format/key.ts";
import type { BackedUpSequence, BackedUpTable, QualifiedName, SourcePosition } from "../format/manifest.ts";
import { type Encryption, MANIFEST, readSealed } from "../format/repository.ts";
import type { Store } from "../store/store.ts";
import { ALIVE, isDead } from "./liveness.ts";

/** What a backup that is under way is going to be. It goes when the manifest is there. */
export const PLAN = "unfinished.json";

/** A table, and how its rows are going to be read. */
export type PlannedTable = Omit<BackedUpTable, "rows">;

/** A unit of work: a part of a table that becomes one file. */
export interface PlannedChunk {
  /** The place of its table. */
  readonly table: number;
  /** Undefined: the whole table. Else what its system cuts tables by, as JSON. */
  readonly part: unknown;
  /** About how many bytes it takes on the server. */
  readonly weight: number;
}

/** All that a run has decided before it reads the first row. */
export interface Plan {
  readonly id: string;
  readonly name: string;
  readonly startedAt: string;
  readonly source: SourcePosition;
  readonly compression: Compression;
  /** What the names of chunks end with. */
  readonly ending: string;
  /** The options that decide what the chunks are, as one text. */
  readonly selection: string;
  readonly tables: readonly PlannedTable[];
  readonly sequences: readonly BackedUpSequence[];
  readonly materializedViews: readonly QualifiedName[];
  readonly constraints?: Constraints;
  readonly chunks: readonly PlannedChunk[];
  readonly warnings: readonly string[];
}

/** A run that ended before its backup was finished, and that sees what a new one would see. */
export interface Unfinished {
  readonly plan: Plan;
  readonly encryption: Encryption | undefined;
}

/** The folders without a manifest that nobody works on any more. */
async function deadFolders(store: Store, signal?: AbortSignal): Promise<readonly string[]> {
  const folders = new Map<string, boolean>();
  for (const { name } of await store.list("", signal)) {
    const [folder = "", ...rest] = name.split("/");
    if (rest.length === 0) continue; // not ours
    const file = rest.join("/");
    folders.set(folder, folders.get(folder) === true || file === MANIFEST);
  }
  const dead: string[] = [];
  for (const [folder, isFinished] of folders)
    if (!isFinished && (await isOurs(store, folder, signal)) && (await isDead(store, folder, signal)))
      dead.push(folder);
  return dead;
}

/** A folder of somebody else's has none of our files. */
async function isOurs(store: Store, folder: string, signal?: AbortSignal): Promise<boolean> {
  const files = await store.list(`${folder}/`, signal);
  return files.some(({ name }) => [ALIVE, PLAN].some((each) => name === `${folder}/${each}`));
}

/**
 * Finds a run to go on with. Its snapshot is gone; only where the very same server process is still at the very same position, and
 * sees the same transactions, is a new snapshot the same one.
 */
export async function findUnfinished(
  store: Store,
  source: SourcePosition,
  selection: string,
  keySource: KeySource | undefined,
  signal?: AbortSignal,
): Promise<Unfinished | undefined> {
  for (const folder of await deadFolders(store, signal)) {
    try {
      const missing = async (): Promise<BackupError> => new BackupError("UNFINISHED", `${folder} has no plan yet`);
      const { body, key, derivation } = await readSealed<Plan>(store, `${folder}/${PLAN}`, keySource, signal, missing);
      const hasKey = (key === undefined) === (keySource === undefined);
      if (!hasKey || body.selection !== selection || !isSamePlace(body.source, source)) continue;
      return { plan: body, encryption: key && derivation ? { key, derivation } : undefined };
    } catch (error) {
      if (!(error instanceof BackupError)) throw error; // it is of no use, whatever it is
    }
  }
  return undefined;
}

const isSamePlace = (one: SourcePosition, other: SourcePosition): boolean =>
  (
    ["systemId", "instance", "database", "node", "role", "timeline", "position", "snapshot", "serverVersion"] as const
  ).every((key) => one[key] === other[key]);

/**
 * The dead folders that are of no use to anybody: of this database, or not even with a plan. What another key opens, or belongs to
 * another database, may still be gone on with.
 */
export async function uselessFolders(
  store: Store,
  of: Pick<SourcePosition, "systemId" | "database">,
  keySource: KeySource | undefined,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const useless: string[] = [];
  for (const folder of await deadFolders(store, signal)) {
    const missing = async (): Promise<BackupError> => new BackupError("UNFINISHED", `${folder} has no plan`);
    try {
      const { body } = await readSealed<Plan>(store, `${folder}/${PLAN}`, keySource, signal, missing);
      if (body.source.systemId === of.systemId && body.source.database === of.database) useless.push(folder);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      if (error.code === "UNFINISHED") useless.push(folder);
    }
  }
  return useless;
}

/** Removes a backup: first what says that it is one. */
export async function removeFolder(store: Store, folder: string, signal?: AbortSignal): Promise<void> {
  await store.remove(`${folder}/${MANIFEST}`, signal);
  const files = await store.list(`${folder}/`, signal);
  const isMark = (name: string): boolean => name === `${folder}/${ALIVE}` || name === `${folder}/${PLAN}`;
  for (const { name } of files) if (!isMark(name)) await store.remove(name, signal);
  // last: what is left of a removal that was killed is known as ours by them
  for (const { name } of files) if (isMark(name)) await store.remove(name, signal);
}
