/** Kysely on a mirrored database. */
export { mirroredPostgres } from "./dialect.ts";
