import { BACK_FRACTION, type Figures, HUNG_MS, type Identity } from "./judge.ts";
import type { Orm } from "./options.ts";

/** Two lines of heading each, so that a row fits on 120 columns. */
const COLUMNS: readonly (readonly [above: string, below: string, value: (figures: Figures) => number | null])[] = [
  ["writes", "acked", (each) => each.acknowledged],
  ["", "lost", (each) => each.lost],
  ["dupli-", "cated", (each) => each.duplicated],
  ["", "errors", (each) => each.surfacedErrors],
  ["commit", "unknown", (each) => each.commitUnknown],
  ["", "hung", (each) => each.hung],
  ["un-", "caught", (each) => each.uncaught],
  ["to old", "primary", (each) => each.toSupersededPrimary],
  ["promo-", "tion", (each) => each.promotionMs],
  ["first", "write", (each) => each.firstWriteMs],
  ["full", "speed", (each) => each.throughputBackMs],
  ["longest", "call", (each) => each.longestCallMs],
];

const ORM_NAMES: Readonly<Record<Orm, string>> = {
  knex: "Knex",
  kysely: "Kysely",
  typeorm: "TypeORM",
  prisma: "Prisma",
};

/** What a client is called in the tables. */
export function titleOf({ client, orm, exactlyOnce }: Identity): string {
  const name = orm === null ? client : ORM_NAMES[orm];
  return exactlyOnce ? `${name}, exactly once` : name;
}

/** The clients of one fault below each other, one row each. */
export function renderTable(runs: readonly Figures[]): string {
  const rows = runs.map((run) => [titleOf(run), ...COLUMNS.map(([, , value]) => value(run)?.toString() ?? "never")]);
  const above = ["", ...COLUMNS.map(([text]) => text)];
  const below = ["", ...COLUMNS.map(([, text]) => text)];
  const lines = [above, below, ...rows];
  const widths = above.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const render = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [render(above), render(below), rule, ...rows.map(render)].join("\n");
}

export const FOOTNOTE: string = [
  "Exactly once: with mirrorpool's commit ledger. Times in ms from the fault; never: not within the run.",
  `Hung: no answer for more than ${HUNG_MS / 1000} s. To old primary: acknowledged by it after it was superseded.`,
  `Full speed: at least ${BACK_FRACTION * 100} % of the operations a second before the fault.`,
].join("\n");
