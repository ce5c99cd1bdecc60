import { promises as fs } from "node:fs";
import path from "node:path";
import type { Kysely } from "kysely";
import { FileMigrationProvider, Migrator } from "kysely/migration";
import type { Shop } from "./tables.ts";

const migrationFolder = path.join(import.meta.dirname, "migrations");

export async function migrate(db: Kysely<Shop>): Promise<void> {
  const provider = new FileMigrationProvider({ fs, path, migrationFolder });
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw error;
}
