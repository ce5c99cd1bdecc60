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

/**
 * Whether a migration tool keeps its state in a table of this name. Whoever reads such a table goes on to act on the answer: on a
 * mirror that lags, `hasTable → create → select` would fail.
 */
export function isMigrationTable(name: string): boolean {
  return MIGRATION_TABLES.has(name) || name.startsWith("knex_migrations") || name.startsWith("kysely_migration");
}
