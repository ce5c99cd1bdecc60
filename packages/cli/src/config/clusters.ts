import { type KeySource, type S3Options, type Store, s3Store } from "@mirrorpool/backup";
import type { NodeOptions, PoolOptions } from "@mirrorpool/core";
import { UsageError } from "../errors.ts";
import type { ClusterConfig } from "./define-config.ts";
import { driverFor } from "./driver.ts";
import type { LoadedConfig } from "./load.ts";
import { keepSecret, keepUrlSecret } from "./redact.ts";

/** A cluster that a command works with. */
export interface Cluster {
  readonly name: string;
  readonly pool: PoolOptions;
  readonly config: ClusterConfig;
}

/** Environment variables that stand in for a configuration. */
const URLS = "MIRRORPOOL_URLS";
const FALLBACK_URLS = "DATABASE_URLS";
const PASSPHRASE = "MIRRORPOOL_PASSPHRASE";

/**
 * The cluster that is meant: URLs separated by commas, a name of the configuration, or where nothing is said the environment's or the
 * configuration's own.
 * @throws {UsageError}
 */
export async function findCluster(
  given: string | undefined,
  loaded: LoadedConfig | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<Cluster> {
  if (given?.includes("://") === true) return ofUrls("URL", given);
  const clusters = loaded?.config.clusters ?? {};
  if (given !== undefined) {
    const config = Object.hasOwn(clusters, given) ? clusters[given] : undefined;
    if (config === undefined)
      throw new UsageError(`no cluster is called ${JSON.stringify(given)}${known(loaded)}; or give its URLs`);
    return ofConfig(given, config);
  }
  const urls = environment[URLS] ?? environment[FALLBACK_URLS];
  if (urls !== undefined && urls !== "") return ofUrls(URLS, urls);
  const names = Object.keys(clusters);
  const usual = loaded?.config.default ?? (names.length === 1 ? names[0] : undefined);
  const config = usual === undefined ? undefined : clusters[usual];
  if (usual !== undefined && config !== undefined) return ofConfig(usual, config);
  if (loaded !== undefined) throw new UsageError(`say which cluster is meant${known(loaded)}`);
  throw new UsageError(`no cluster: write a mirrorpool.config.ts, set ${URLS}, or give URLs separated by commas`);
}

const known = (loaded: LoadedConfig | undefined): string =>
  loaded === undefined
    ? " (there is no configuration)"
    : `: ${loaded.path} knows ${Object.keys(loaded.config.clusters).join(", ")}`;

async function ofUrls(name: string, text: string): Promise<Cluster> {
  const nodes = text
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "");
  for (const url of nodes) keepUrlSecret(url);
  const config = { nodes };
  return { name, config, pool: { driver: await driverFor(nodes), nodes } };
}

async function ofConfig(name: string, config: ClusterConfig): Promise<Cluster> {
  const { backups, encryption, promote: _, driver, ...rest } = config;
  for (const node of Array.isArray(config.nodes) ? config.nodes : []) keepNode(node);
  if (typeof backups === "object" && "secretAccessKey" in backups) keepSecret(backups.secretAccessKey);
  if (encryption !== undefined && "passphrase" in encryption) keepSecret(encryption.passphrase);
  const nodes = Array.isArray(config.nodes) ? config.nodes : [];
  return { name, config, pool: { ...rest, driver: driver ?? (await driverFor(nodes)) } };
}

function keepNode(node: string | NodeOptions): void {
  const { url, password }: NodeOptions = typeof node === "string" ? { url: node } : node;
  if (url !== undefined) keepUrlSecret(url);
  if (typeof password === "string") keepSecret(password);
}

/** Where a cluster's backups are. @param given a folder, `s3://bucket/prefix`, or nothing */
export function findStore(
  given: string | undefined,
  cluster: Pick<Cluster, "config"> | undefined,
  environment: NodeJS.ProcessEnv,
): string | Store {
  if (given !== undefined) return given.startsWith("s3://") ? ofS3Url(given, environment) : given;
  const { backups } = cluster?.config ?? {};
  if (backups === undefined)
    throw new UsageError(
      "say where the backups are: --store FOLDER, --store s3://bucket/prefix, or `backups` in the configuration",
    );
  return typeof backups === "object" && "endpoint" in backups
    ? s3Store(backups as S3Options)
    : (backups as string | Store);
}

/** Login and place as with other tools for S3: from the environment. */
function ofS3Url(url: string, environment: NodeJS.ProcessEnv): Store {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(url) ?? [];
  const region = environment["AWS_REGION"] ?? "us-east-1";
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"] ?? "";
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  if (bucket === "" || accessKeyId === "" || secretAccessKey === "")
    throw new UsageError(`${url} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment`);
  keepSecret(secretAccessKey);
  keepSecret(sessionToken);
  const endpoint =
    environment["AWS_ENDPOINT_URL_S3"] ?? environment["AWS_ENDPOINT_URL"] ?? `https://s3.${region}.amazonaws.com`;
  return s3Store({
    endpoint,
    bucket,
    prefix,
    region,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
  });
}

/** The key of backups: a file, the environment's passphrase, or the configuration's own. */
export function findKey(
  keyFile: string | undefined,
  cluster: Pick<Cluster, "config"> | undefined,
  environment: NodeJS.ProcessEnv,
): KeySource | undefined {
  if (keyFile !== undefined) return { keyFile };
  const passphrase = environment[PASSPHRASE];
  if (passphrase !== undefined && passphrase !== "") {
    keepSecret(passphrase);
    return { passphrase };
  }
  return cluster?.config.encryption;
}
