/** Knex on a mirrored MariaDB or MySQL. */
export { mirroredMysql } from "./mirrored-mysql.ts";
export type { KnexPoolSource, OwnPoolOptions } from "./options.ts";
