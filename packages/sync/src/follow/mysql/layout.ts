import { JobError } from "../../errors.ts";
import type { ChangedRow, Column } from "../../model.ts";
import { nameOf } from "../../model.ts";
import type { RowsEvent } from "../../mysql/binlog/events.ts";
import { rawValue } from "../../mysql/binlog/raw-value.ts";
import { Reader } from "../../mysql/binlog/reader.ts";
import { isAlike } from "../../mysql/binlog/shape.ts";
import type { ColumnMap, TableMap } from "../../mysql/binlog/table-map.ts";
import { type ToldColumn, valueText } from "../../mysql/binlog/value-text.ts";
import type { Pair } from "../../pair-tables.ts";
import type { Followed, SourceChange } from "../change-source.ts";
import { followed } from "../followed.ts";
import { LossGuard } from "../losses.ts";

type Change = Extract<SourceChange, { type: "insert" | "update" | "delete" }>;

/** How the rows of a followed table lie in the log, and what becomes of them. */
export class Layout {
  readonly #followed: Followed;
  readonly #told: readonly ToldColumn[];
  /** The source's column for each of the log's; undefined where the server computes it. */
  readonly #columns: readonly (Column | undefined)[];
  readonly #guard: LossGuard;

  /** @param told all columns of the source's table, in its order */
  constructor({ source, target, losses }: Pair, told: readonly ToldColumn[]) {
    const name = nameOf(source);
    const there = new Map(target.columns.map((column) => [column.name, column]));
    const columns = source.columns.map((column) => there.get(column.name) as Column); // a pair has all of them
    this.#followed = followed(name, target, columns);
    this.#told = told;
    this.#columns = told.map((each) => source.columns.find((column) => column.name === each.name));
    this.#guard = new LossGuard(name, source, losses);
  }

  get followed(): Followed {
    return this.#followed;
  }

  /** Whether the log's table may be this one. */
  isOf({ columns }: TableMap): boolean {
    return (
      columns.length === this.#told.length &&
      columns.every((column, index) => isAlike(this.#told[index] as ToldColumn, column))
    );
  }

  /** @throws {JobError} `LOG_UNREADABLE` {@link LossGuard} */
  *changes({ columns }: TableMap, event: RowsEvent): Generator<Change> {
    for (const present of event.present) {
      if (isFull(present, event.columns)) continue;
      const message = `${this.#followed.name}: the source's binary log has rows without all of their columns: set binlog_row_image = FULL there, for all sessions, remove() the job and begin it anew`;
      throw new JobError("LOG_UNREADABLE", message);
    }
    const reader = new Reader(event.rows);
    const table = this.#followed;
    const isSilent = !event.isComplete;
    while (reader.left > 0) {
      const row = this.#row(reader, columns);
      if (event.what === "delete") {
        yield { type: "delete", table, old: row, isSilent };
        continue;
      }
      const after = event.what === "update" ? this.#row(reader, columns) : row;
      this.#guard.check(after, table.keyOf);
      yield event.what === "update"
        ? { type: "update", table, old: row, row: after, isSilent }
        : { type: "insert", table, row, isSilent };
    }
  }

  #row(reader: Reader, columns: readonly ColumnMap[]): ChangedRow {
    const isNull = reader.bytes((columns.length + 7) >> 3);
    const row: (string | null)[] = [];
    columns.forEach((map, index) => {
      const column = this.#columns[index];
      if (((isNull[index >> 3] ?? 0) & (1 << (index & 7))) !== 0) {
        if (column !== undefined) row.push(null);
        return;
      }
      const raw = rawValue(reader, map);
      if (column !== undefined) row.push(valueText(raw, map, this.#told[index] as ToldColumn, column));
    });
    return row;
  }
}

function isFull(present: Buffer, columns: number): boolean {
  for (let index = 0; index < columns; index += 1)
    if (((present[index >> 3] ?? 0) & (1 << (index & 7))) === 0) return false;
  return true;
}
