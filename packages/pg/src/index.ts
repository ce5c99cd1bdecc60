/** The mirrorpool driver for PostgreSQL, on the `pg` library. */
export { classify } from "./classify.ts";
export { postgres } from "./driver.ts";
