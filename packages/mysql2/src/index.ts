/** The mirrorpool driver for MariaDB and MySQL, on the `mysql2` library. */
export { classify } from "./classify.ts";
export { mysql } from "./driver.ts";
export type { ClientSettings } from "./open.ts";
export type { MysqlResult } from "./result.ts";
