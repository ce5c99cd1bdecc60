import type { ReservedConnection } from "@mirrorpool/core";
import { askMysql as ask, type Dialect, type Table } from "@mirrorpool/sync/for-other-jobs";
import { BackupError } from "../errors.ts";
import type { BackedUpTable, Manifest } from "../format/manifest.ts";
import { showTable } from "../table-names.ts";
import { chosenTables, type RestorePlan } from "../target/phases.ts";
import type { Target } from "../target/target.ts";
import { MARKS } from "./mark-name.ts";

const RELATIONS = "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1";

/** @throws {BackupError} for what does not fit into the target */
export async function requireFit(
  dialect: Dialect,
  target: Target,
  manifest: Manifest,
  plan: RestorePlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  return target.on(signal, async (on) => {
    if (plan.withDefinitions) return requireEmptyDatabase(on);
    const chosen = chosenTables(manifest, plan);
    const { tables } = await dialect.readCatalog(on, signal);
    const there = new Map(tables.map((table) => [table.name, table]));
    for (const table of chosen) requireColumns(table, there.get(table.name));
    const models = chosen.flatMap(({ name }) => there.get(name) ?? []);
    await requireNothingInTheWay(dialect, on, manifest, plan, models);
    if (plan.existing !== "refuse") return;
    const [filled] = await dialect.findFilled(on, models);
    if (filled === undefined) return;
    const subject = showTable(filled);
    const message = `${subject} has rows in the target: say existing: "append" or "replace", or choose other tables`;
    throw new BackupError("TARGET_NOT_EMPTY", message, { subject });
  });
}

async function requireEmptyDatabase(on: ReservedConnection): Promise<void> {
  const found = (await ask<{ name: string }>(on, RELATIONS)).filter(({ name }) => !MARKS.includes(name));
  if (found.length === 0) return;
  const names = found.slice(0, 3).map(({ name }) => showTable({ schema: "public", name }));
  throw new BackupError(
    "TARGET_NOT_EMPTY",
    `the target holds ${names.join(", ")}${found.length > 3 ? " and more" : ""}: restore into an empty database, or with schema: false into the tables that are there`,
    { subject: names[0] },
  );
}

function requireColumns(table: BackedUpTable, there: Table | undefined): void {
  const subject = showTable(table);
  if (there === undefined)
    throw new BackupError("TARGET_LACKS", `${subject} is not in the target: make its tables first`, { subject });
  const known = new Set(there.columns.map(({ name }) => name));
  const missing = table.columns.filter((column) => !known.has(column));
  if (missing.length === 0) return;
  const names = missing.map((each) => JSON.stringify(each)).join(", ");
  throw new BackupError("TARGET_LACKS", `${subject} has no column ${names} in the target that takes values`, {
    subject,
  });
}

/** Triggers cannot be switched off here; and a table without transactions is written whole or not at all. */
async function requireNothingInTheWay(
  dialect: Dialect,
  on: ReservedConnection,
  { tables, chunks }: Manifest,
  { existing }: RestorePlan,
  models: readonly Table[],
): Promise<void> {
  const unsafe = await readUnsafe(on);
  const isInParts = ({ name }: Table): boolean =>
    chunks.filter(({ table }) => tables[table]?.name === name).length > 1 || existing === "append";
  for (const { table, reason } of await dialect.findHindrances(on, models)) {
    const name = table.replace(/^public\./, "");
    const model = models.find((each) => each.name === name);
    // what it says of engines holds for rows in several parts
    if (unsafe.has(name) && model !== undefined && !isInParts(model) && !reason.includes("trigger")) continue;
    throw new BackupError("REFUSED", `${table}: ${reason}`, { subject: table });
  }
}

const UNSAFE = `
SELECT t.TABLE_NAME AS name FROM information_schema.TABLES AS t LEFT JOIN information_schema.ENGINES AS e ON e.ENGINE = t.ENGINE
 WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES'`;

/** Tables whose rows no transaction keeps together. */
export async function readUnsafe(on: ReservedConnection): Promise<ReadonlySet<string>> {
  return new Set((await ask<{ name: string }>(on, UNSAFE)).map(({ name }) => name));
}
