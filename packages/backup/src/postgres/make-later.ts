import type { ReservedConnection } from "@mirrorpool/core";
import { TakenBackError } from "../errors.ts";
import { DATA, type QualifiedName } from "../format/manifest.ts";
import type { OpenedBackup } from "../format/repository.ts";
import { chosenChunks, type Phase, type RestorePlan } from "../target/phases.ts";
import { smallBatches } from "../target/small-batches.ts";
import type { Step, Target } from "../target/target.ts";
import { inParallel } from "../tasks.ts";
import { type PostStatement, unquoteTable } from "./definitions.ts";
import { MARK } from "./mark-name.ts";
import { quoteTable } from "./quote.ts";

const FOREVER = { timeoutMs: Number.POSITIVE_INFINITY } as const;

/**
 * In the transaction that puts keys and triggers back: a failover or a crash may have taken chunks back while others went on, and those
 * have to come before. Where this has held, every node that has the transaction has the chunks as well.
 */
export async function requireChunks(
  connection: ReservedConnection,
  { manifest }: OpenedBackup,
  plan: RestorePlan,
): Promise<void> {
  // counted, and not looked up by their names: this is asked again and again, and there may be ten thousand
  const sql = `SELECT count(*)::int AS count FROM ${MARK}.step WHERE name LIKE '${DATA}%'`;
  const { rows } = await connection.query<{ count: number }>(sql);
  if (rows[0]?.count === chosenChunks(manifest, plan).length) return;
  throw new TakenBackError("rows that had been restored");
}

/** For all indexes that are made at a time; the server's own 64 MB would do for one of a million rows. */
const BUILD_KIB = 512 * 1024;
/** As text. An index of less is sorted in memory; workers of the server would take longer to come and to exchange what they have. */
const ALONE_BYTES = 1024 ** 3;

/** For the transaction alone, and never less than what the server gives. */
const BUILD = `
SELECT set_config(name, CASE name WHEN 'maintenance_work_mem' THEN greatest(setting::int8, $1::int8) ELSE 0 END::text, true)
  FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem' OR (name = 'max_parallel_maintenance_workers' AND $2)`;

/** A statement, and its place among them. */
type Placed = readonly [place: number, statement: PostStatement];

/**
 * Indexes and keys, at the same time for different tables, the biggest first; then all that needs them, in its order.
 * @returns the keys of tables that the server has looked at since
 */
export async function makeLater(phase: Phase, statements: readonly PostStatement[]): Promise<ReadonlySet<string>> {
  const { target, backup, plan, jobs, signal } = phase;
  const sized = new Map(tablesBySize(phase).map((table) => [table.key, table]));
  const tableOf = (written: string | undefined): SizedTable | undefined =>
    written === undefined ? undefined : sized.get(keyOf(unquoteTable(written)));
  const bytesOf = (written: string | undefined): number => tableOf(written)?.bytes ?? 0;
  // of columns together, which are looked at with the others
  const hasStatistics = statements.some(({ text }) => text.startsWith("CREATE STATISTICS"));
  const analyzed = new Set<string>();
  const run = async (batch: readonly Placed[], stop: AbortSignal | undefined): Promise<void> => {
    const steps = batch.map(([place, { text }]): Step => {
      const work = async (connection: ReservedConnection): Promise<void> => {
        await connection.query(text, [], FOREVER);
      };
      return { name: `after ${place}`, subject: firstLine(text), work };
    });
    const largest = Math.max(...batch.map(([, { table }]) => bytesOf(table)));
    await target.steps(steps, stop, async (connection) => {
      await requireChunks(connection, backup, plan);
      await connection.query(BUILD, [Math.floor(BUILD_KIB / jobs), largest < ALONE_BYTES]);
    });
  };
  const placed = statements.map((statement, place): Placed => [place, statement]);
  const byTable = new Map<string, Placed[]>();
  for (const each of placed) {
    const [, { table = "", isIndex }] = each;
    if (isIndex) byTable.set(table, [...(byTable.get(table) ?? []), each]);
  }
  const tables = [...byTable].sort(([one], [other]) => bytesOf(other) - bytesOf(one));
  await inParallel(
    smallBatches(tables, ([table]) => bytesOf(table)),
    jobs,
    signal,
    async (batch, stop) => {
      const statements = batch.flatMap(([, each]) => each);
      // several of one big table are still a transaction each
      for (const part of smallBatches(statements, ([, { table }]) => bytesOf(table))) await run(part, stop);
      const ready = hasStatistics ? [] : batch.flatMap(([table]) => tableOf(table) ?? []);
      if (ready.length > 0) await analyze(target, ready, stop);
      for (const { key } of ready) analyzed.add(key);
    },
  );
  const others = placed.filter(([, { isIndex }]) => !isIndex);
  for (const batch of smallBatches(others, ([, { table }]) => bytesOf(table))) await run(batch, signal);
  return analyzed;
}

/** A table, and how much of it is in the backup. */
interface SizedTable extends QualifiedName {
  readonly key: string;
  readonly bytes: number;
}

const keyOf = ({ schema, name }: QualifiedName): string => JSON.stringify([schema, name]);

/** The chosen tables, the biggest first. */
export function tablesBySize({ backup: { manifest }, plan }: Pick<Phase, "backup" | "plan">): readonly SizedTable[] {
  const bytes = manifest.tables.map(() => 0);
  for (const chunk of manifest.chunks) bytes[chunk.table] = (bytes[chunk.table] ?? 0) + chunk.bytes;
  return plan.tables
    .flatMap((place) => {
      const { schema = "", name = "" } = manifest.tables[place] ?? {};
      return { schema, name, key: keyOf({ schema, name }), bytes: bytes[place] ?? 0 };
    })
    .sort((one, other) => other.bytes - one.bytes);
}

export async function analyze(
  target: Target,
  tables: readonly QualifiedName[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await target.ask(`ANALYZE ${tables.map(quoteTable).join(", ")}`, [], signal);
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").slice(0, 100);
