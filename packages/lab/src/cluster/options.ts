import { LabError } from "../errors.ts";

/** What the nodes run. */
export type ServerKind = "postgres" | "mariadb" | "mysql";

/**
 * Where the programs come from: `"embedded"` (those that the lab brings or fetches), `"system"` (those installed on this
 * machine), or a folder with the programs in it.
 */
export type Installation = "embedded" | "system" | { readonly bin: string };

/** What {@link createCluster} is to make. All are optional. */
export interface ClusterOptions {
  /** What the nodes run. Default `"postgres"`. */
  readonly server?: ServerKind;
  /** Where the programs come from. Default: PostgreSQL `"embedded"`; the others as installed here, else `"embedded"`. */
  readonly system?: Installation;
  /**
   * MariaDB's Galera, or MySQL's Group Replication with one primary, in place of a primary with mirrors: 3 nodes or more.
   * Default false.
   */
  readonly group?: boolean;
  /** How many mirrors the primary has, 0 to 8. Default 2. */
  readonly mirrors?: number;
  /** Whether a commit waits until a mirror has it (PostgreSQL's `ANY 1 (...)`; semi-synchronous replication). Default false. */
  readonly synchronous?: boolean;
  /** How many connections each node takes, at least 5 (MariaDB: 13); three of them are kept for the lab. Default 100. */
  readonly maxConnections?: number;
  /** Further lines of postgresql.conf, or of the option file, for all nodes. They win over the lab's, except for port, address and replication. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether each node has a fault proxy of its own, through which `node.url` leads. Default true. */
  readonly proxies?: boolean;
  /** Gives each node a file system of this size, in bytes, so that it can be filled: at least 64 MiB (MySQL: 256); needs root on Linux. */
  readonly diskBytes?: number;
  /** The folder under which the cluster's files live. Default /dev/shm if there is 1 GiB to spare, else the temporary folder. */
  readonly dataDir?: string;
  /** The application's login role: an ordinary user that owns the database. Default `app`, password `secret`. */
  readonly user?: string;
  readonly password?: string;
  /** Default `app`. */
  readonly database?: string;
  /** Ends the start, or any later wait of the cluster. */
  readonly signal?: AbortSignal;
}

/** Validated options. */
export type ClusterPlan = Readonly<
  Required<Omit<ClusterOptions, "system" | "diskBytes" | "dataDir" | "signal">> &
    Pick<ClusterOptions, "system" | "diskBytes" | "dataDir">
>;

/** The lab's own role, a superuser. */
export const SUPERUSER = "lab";

const KNOWN = new Set<string>([
  "server", "system", "group", "mirrors", "synchronous", "maxConnections", "settings", "proxies", "diskBytes", "dataDir", "user", "password", "database", "signal",
] satisfies (keyof ClusterOptions)[]); // biome-ignore format: one list
const KINDS = new Set<string>(["postgres", "mariadb", "mysql"] satisfies ServerKind[]);
/** What an empty data directory takes, and room to fill. */
const LEAST_DISK_BYTES = { postgres: 64 * 1024 ** 2, mariadb: 64 * 1024 ** 2, mysql: 256 * 1024 ** 2 };
/** Three connections are kept for the lab; MariaDB takes no limit below 10. */
const LEAST_CONNECTIONS = { postgres: 5, mariadb: 13, mysql: 5 };

/** Completes and checks the options. @throws LabError `invalid-option` */
export function planCluster(options: ClusterOptions): ClusterPlan {
  for (const name of Object.keys(options)) check(KNOWN.has(name), name, "no such option", undefined);
  const plan: ClusterPlan = {
    server: options.server ?? "postgres",
    group: options.group ?? false,
    mirrors: options.mirrors ?? 2,
    synchronous: options.synchronous ?? false,
    maxConnections: options.maxConnections ?? 100,
    settings: options.settings ?? {},
    proxies: options.proxies ?? true,
    user: options.user ?? "app",
    password: options.password ?? "secret",
    database: options.database ?? "app",
    ...(options.system !== undefined && { system: options.system }),
    ...(options.diskBytes !== undefined && { diskBytes: options.diskBytes }),
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
  };
  const { system, mirrors, maxConnections, diskBytes } = plan;
  check(KINDS.has(plan.server), "server", [...KINDS].map((kind) => `"${kind}"`).join(", "), plan.server);
  const isSystem =
    system === undefined || system === "embedded" || system === "system" || typeof system?.bin === "string";
  check(isSystem, "system", '"embedded", "system" or { bin: string }', system);
  check(isBetween(mirrors, 0, 8), "mirrors", "0-8", mirrors);
  check(!plan.group || plan.server !== "postgres", "group", 'false with "postgres"', plan.group);
  check(!plan.group || mirrors >= 2, "mirrors", "2-8 in a group", mirrors);
  check(!plan.group || !plan.synchronous, "synchronous", "false in a group", plan.synchronous);
  check(!plan.synchronous || mirrors > 0, "synchronous", "false without mirrors", plan.synchronous);
  const leastConnections = LEAST_CONNECTIONS[plan.server];
  check(
    isBetween(maxConnections, leastConnections, 10_000),
    "maxConnections",
    `${leastConnections}-10000`,
    maxConnections,
  );
  const leastDiskBytes = LEAST_DISK_BYTES[plan.server];
  check(
    diskBytes === undefined || isBetween(diskBytes, leastDiskBytes, Number.MAX_SAFE_INTEGER),
    "diskBytes",
    `at least ${leastDiskBytes}`,
    diskBytes,
  );
  for (const name of ["user", "password", "database"] as const) {
    const value = plan[name];
    check(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they end a statement in single-user mode
      value !== "" && !/[\u0000-\u001f]/.test(value),
      name,
      "a text without control characters",
      name === "password" ? "***" : value,
    );
  }
  check(plan.user !== SUPERUSER, "user", `another name than "${SUPERUSER}", which is the lab's own`, plan.user);
  return plan;
}

function isBetween(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function check(holds: boolean, path: string, expected: string, value: unknown): void {
  if (holds) return;
  const got = value === undefined ? "" : `, got ${typeof value === "number" ? value : JSON.stringify(value)}`;
  throw new LabError("invalid-option", `${path}: expected ${expected}${got}`);
}
