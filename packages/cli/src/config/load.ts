import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../errors.ts";
import type { MirrorpoolConfig } from "./define-config.ts";

const NAMES = ["ts", "mts", "mjs", "js"].map((ending) => `mirrorpool.config.${ending}`);

/** A configuration, and where it was found. */
export interface LoadedConfig {
  readonly path: string;
  readonly config: MirrorpoolConfig;
}

/**
 * Reads `mirrorpool.config.ts` (or `.mts`, `.mjs`, `.js`) of this folder or the nearest one above it.
 * @param given the path of a file, which has to be there
 * @throws {UsageError}
 */
export async function loadConfig(given: string | undefined, folder: string): Promise<LoadedConfig | undefined> {
  const path = given === undefined ? find(folder) : resolve(folder, given);
  if (path === undefined) return undefined;
  if (!existsSync(path)) throw new UsageError(`there is no configuration at ${path}`);
  let exported: { readonly default?: unknown };
  try {
    exported = await import(pathToFileURL(path).href);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const message =
      code === "ERR_UNKNOWN_FILE_EXTENSION"
        ? `Node.js ${process.versions.node} reads no TypeScript (22.18 and later do): call it mirrorpool.config.mjs`
        : error instanceof Error
          ? error.message
          : String(error);
    throw new UsageError(`${path}: ${message}`, { cause: error });
  }
  return { path, config: check(path, exported.default) };
}

function find(folder: string): string | undefined {
  for (const name of NAMES) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
  }
  const above = dirname(folder);
  return above === folder ? undefined : find(above);
}

function check(path: string, config: unknown): MirrorpoolConfig {
  const fail = (what: string): never => {
    throw new UsageError(`${path}: ${what}`);
  };
  if (!isObject(config)) return fail("it has to export defineConfig({ clusters }) as its default");
  for (const key of Object.keys(config))
    if (key !== "clusters" && key !== "default")
      fail(`${key}: expected one of clusters, default, got an unknown option`);
  const { clusters, default: usual } = config;
  if (!isObject(clusters) || Object.keys(clusters).length === 0)
    return fail("clusters: expected an object with at least one");
  for (const [name, cluster] of Object.entries(clusters))
    if (!isObject(cluster)) fail(`clusters.${name}: expected an object with nodes`);
  if (usual !== undefined && (typeof usual !== "string" || !Object.hasOwn(clusters, usual)))
    fail(`default: expected one of ${Object.keys(clusters).join(", ")}`);
  return config as unknown as MirrorpoolConfig; // what is in a cluster the pool checks itself
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
