import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PrismaClient } from "../generated/client.ts";

/**
 * Runs Prisma's migrations. Usually `prisma migrate deploy` does, before the application starts, on a connection of its own to
 * the primary. Here the application does it itself, so that the example needs no download of Prisma's engine.
 */
export async function migrate(prisma: PrismaClient, folder: string): Promise<void> {
  await prisma.$executeRaw`CREATE TABLE IF NOT EXISTS migrations (name varchar(100) PRIMARY KEY)`;
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of names.sort()) {
    const done: unknown[] = await prisma.$queryRaw`SELECT name FROM migrations WHERE name = ${name}`;
    if (done.length > 0) continue;
    const sql = await readFile(join(folder, name, "migration.sql"), "utf8");
    for (const statement of sql.split(";\n").filter((text) => text.trim() !== "")) {
      await prisma.$executeRawUnsafe(statement);
    }
    await prisma.$executeRaw`INSERT INTO migrations VALUES (${name})`;
  }
}
