import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PrismaClient } from "../generated/client.ts";

const folder = join(import.meta.dirname, "../prisma/migrations");

/**
 * Runs Prisma's migrations. Usually `prisma migrate deploy` does, before the application starts, on a connection of its own to
 * the primary. Here the application does it itself, so that the example needs no download of Prisma's engine.
 */
export async function migrate(prisma: PrismaClient): Promise<void> {
  await prisma.$executeRaw`CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)`;
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of names.sort()) {
    const sql = await readFile(join(folder, name, "migration.sql"), "utf8");
    await prisma.$transaction(async (tx) => {
      const isNew = await tx.$executeRaw`INSERT INTO migrations VALUES (${name}) ON CONFLICT DO NOTHING`;
      if (isNew === 1) await tx.$executeRawUnsafe(sql);
    });
  }
}
