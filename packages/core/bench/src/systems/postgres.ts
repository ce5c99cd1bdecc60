import { postgres } from "@mirrorpool/pg";
import { postgresOrms } from "../orms/index.ts";
import { openAwsWrapper } from "../peers/aws-wrapper.ts";
import { openNamedPgPool, openPgPool } from "../peers/pg.ts";
import { openPostgresJs } from "../peers/postgres-js.ts";
import { failoverOnPostgres } from "./postgres-failover.ts";
import type { System } from "./system.ts";

export const postgresSystem: System = {
  kind: "postgres",
  title: "PostgreSQL",
  settings: { autovacuum: "off" },
  driver: () => postgres(),
  values: ["$1", "$2"],
  roomy: "WITH (fillfactor = 50)",
  sleep: (seconds) => `pg_sleep(${seconds}::float8)`,
  random: "random()",
  analyze: (table) => `VACUUM ANALYZE ${table}`,
  peers: (options) => [openPgPool(options), openNamedPgPool(options), openPostgresJs(options), openAwsWrapper(options)],
  orms: postgresOrms,
  failover: failoverOnPostgres,
};
