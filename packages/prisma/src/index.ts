/** Prisma on a mirrored database. */
export { type AdapterFactory, type AdapterOptions, mirroredPostgres } from "./adapter.ts";
