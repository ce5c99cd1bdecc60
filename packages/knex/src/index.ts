/** Knex on a mirrored database. */
export { mirroredPostgres } from "./mirrored-postgres.ts";
export type { KnexPoolSource, OwnPoolOptions } from "./options.ts";
