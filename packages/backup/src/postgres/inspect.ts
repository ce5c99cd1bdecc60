import { BackupError } from "../errors.ts";
import type { BackedUpTable, Manifest, QualifiedName } from "../format/manifest.ts";
import { showTable } from "../table-names.ts";
import { chosenTables, type RestorePlan } from "../target/phases.ts";
import type { Target } from "../target/target.ts";
import { MARK } from "./mark-name.ts";
import { quoteTable, quoteText } from "./quote.ts";

/** What a restore of everything would meet. */
const RELATIONS = `
SELECT ns.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS ns ON ns.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
   AND ns.nspname NOT LIKE 'pg\\_%' AND ns.nspname NOT IN ('information_schema', '${MARK}')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1, 2 LIMIT 4`;

/** @throws {BackupError} `TARGET_NOT_EMPTY` naming some of what is there */
async function requireEmptyDatabase(target: Target, signal: AbortSignal | undefined): Promise<void> {
  const found = await target.ask<QualifiedName>(RELATIONS, [], signal);
  if (found.length === 0) return;
  const names = `${found.slice(0, 3).map(showTable).join(", ")}${found.length > 3 ? " and more" : ""}`;
  throw new BackupError(
    "TARGET_NOT_EMPTY",
    `the target holds ${names}: restore into an empty database, or with schema: false into the tables that are there`,
    { subject: showTable(found[0] as QualifiedName) },
  );
}

const COLUMNS = `
SELECT wanted.at::int AS at, c.oid IS NOT NULL AS "isThere",
       a.columns, a.types
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS wanted(schema, name, at)
  LEFT JOIN (pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS ns ON ns.oid = c.relnamespace AND c.relkind IN ('r', 'p'))
    ON ns.nspname = wanted.schema AND c.relname = wanted.name
  CROSS JOIN LATERAL (SELECT coalesce(array_agg(attname::text ORDER BY attnum), '{}') AS columns,
                             coalesce(array_agg(pg_catalog.format_type(atttypid, atttypmod) ORDER BY attnum), '{}') AS types
                        FROM pg_catalog.pg_attribute
                       WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS a
 ORDER BY wanted.at`;

interface ThereTable {
  readonly isThere: boolean;
  readonly columns: readonly string[];
  readonly types: readonly string[];
}

const NOT_THERE: ThereTable = { isThere: false, columns: [], types: [] };

/** @throws {BackupError} `TARGET_LACKS` naming what is missing */
async function requireTables(
  target: Target,
  tables: readonly BackedUpTable[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const rows = await target.ask<ThereTable>(
    COLUMNS,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
    signal,
  );
  tables.forEach((table, index) => {
    const { isThere, columns, types } = rows[index] ?? NOT_THERE;
    const subject = showTable(table);
    if (!isThere)
      throw new BackupError(
        "TARGET_LACKS",
        `${subject} is not in the target: make its tables first, where definitions are not restored`,
        { subject },
      );
    const missing = table.columns.filter((column) => !columns.includes(column));
    if (missing.length === 0) {
      requireTypes(table, new Map(columns.map((column, place) => [column, types[place]])));
      return;
    }
    const names = missing.map((each) => JSON.stringify(each)).join(", ");
    throw new BackupError("TARGET_LACKS", `${subject} has no column ${names} in the target that takes values`, {
      subject,
    });
  });
}

/** The binary form of one type may be read as another one: nothing would say so. */
function requireTypes(table: BackedUpTable, there: ReadonlyMap<string, string | undefined>): void {
  if (table.form !== "binary") return;
  table.columns.forEach((column, place) => {
    const [type, other] = [table.types[place], there.get(column)];
    if (type === other) return;
    const subject = showTable(table);
    throw new BackupError(
      "TARGET_LACKS",
      `${subject}: ${JSON.stringify(column)} is ${other} in the target and ${type} in the backup, whose rows are in binary form`,
      { subject },
    );
  });
}

/** @throws {BackupError} `NOT_SUPPORTED` for rows in the binary form of another version */
async function requireVersion(
  target: Target,
  { source }: Pick<Manifest, "source">,
  tables: readonly BackedUpTable[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!tables.some(({ form }) => form === "binary")) return;
  const sql = "SELECT current_setting('server_version_num')::int AS version";
  const [{ version } = { version: 0 }] = await target.ask<{ readonly version: number }>(sql, [], signal);
  const [from, to] = [source.serverVersion, version].map((each) => Math.floor(each / 10_000));
  if (from === to) return;
  throw new BackupError(
    "NOT_SUPPORTED",
    `the rows of this backup are in the binary form of PostgreSQL ${from}, and the target is ${to}: restore it into a ${from}`,
  );
}

/** So many in one statement. */
const BATCH = 200;

/** @throws {BackupError} `TARGET_NOT_EMPTY` */
async function requireEmptyTables(
  target: Target,
  tables: readonly BackedUpTable[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let start = 0; start < tables.length; start += BATCH) {
    const batch = tables.slice(start, start + BATCH);
    const text = batch
      .map(
        (table) => `SELECT ${quoteText(showTable(table))} AS name WHERE EXISTS (SELECT FROM ONLY ${quoteTable(table)})`,
      )
      .join(" UNION ALL ");
    const found = await target.ask<{ readonly name: string }>(text, [], signal);
    if (found[0] === undefined) continue;
    throw new BackupError(
      "TARGET_NOT_EMPTY",
      `${found[0].name} has rows in the target: say existing: "append" or "replace", or choose other tables`,
      { subject: found[0].name },
    );
  }
}

/** @throws {BackupError} for what does not fit into the target */
export async function requireFit(
  target: Target,
  manifest: Manifest,
  plan: RestorePlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  const chosen = chosenTables(manifest, plan);
  await requireVersion(target, manifest, chosen, signal);
  if (plan.withDefinitions) return requireEmptyDatabase(target, signal);
  await requireTables(target, chosen, signal);
  if (plan.existing === "refuse") await requireEmptyTables(target, chosen, signal);
}
