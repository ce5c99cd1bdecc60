/** Prisma on a mirrored database. */
export { type AdapterFactory, type AdapterOptions, mirroredPostgres, type OwnPoolOptions } from "./adapter.ts";
