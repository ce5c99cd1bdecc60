/** TypeORM on a mirrored database. */
export { mirroredPostgres } from "./mirrored-postgres.ts";
export type { PostgresOptions } from "./options.ts";
