/**
 * Relations whose readers go on to act on the answer: system catalogues, and the tables in which migration tools keep
 * their state. On a mirror that lags, `hasTable → create → select` would fail, so these are read on the primary.
 */
const MIGRATION_TABLES: ReadonlySet<string> = new Set([
  "migrations",
  "typeorm_metadata",
  "_prisma_migrations",
  "__drizzle_migrations",
  "mikro_orm_migrations",
  "SequelizeMeta",
  "schema_migrations",
  "pgmigrations",
]);

/** Types whose input function looks an object up in the catalogues: `'orders'::regclass`. */
const CATALOGUE_TYPES: ReadonlySet<string> = new Set([
  "regclass",
  "regcollation",
  "regnamespace",
  "regoper",
  "regoperator",
  "regproc",
  "regprocedure",
  "regrole",
  "regtype",
]);

/** Whether an identifier names something to be read on the primary only. */
export function isPrimaryOnly(identifier: string): boolean {
  return (
    identifier.startsWith("pg_") ||
    identifier === "information_schema" ||
    identifier.startsWith("knex_migrations") ||
    identifier.startsWith("kysely_migration") ||
    MIGRATION_TABLES.has(identifier) ||
    CATALOGUE_TYPES.has(identifier)
  );
}
