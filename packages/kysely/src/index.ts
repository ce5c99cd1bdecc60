/** Kysely on a mirrored database. */
export { type MirroredPostgresOptions, mirroredPostgres } from "./dialect.ts";
