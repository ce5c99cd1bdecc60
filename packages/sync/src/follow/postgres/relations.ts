import type { FailoverPool } from "@mirrorpool/core";
import { JobError } from "../../errors.ts";
import { type ChangedRow, type Column, nameOf } from "../../model.ts";
import { isLossless, type Pair } from "../../pair-tables.ts";
import { readPrimary } from "../../postgres/catalog.ts";
import type { Relation } from "../../postgres/pgoutput.ts";
import { ask, PATIENT } from "../../querier.ts";
import type { Followed } from "../change-source.ts";
import { followed } from "../followed.ts";
import { LossGuard } from "../losses.ts";
import { rowConverter } from "./to-form.ts";

/** A relation of the stream that is followed. */
export interface FollowedRelation {
  readonly table: Followed;
  /** A row of the stream as the target takes it. @throws {JobError} `VALUE_REFUSED` */
  toRow(row: ChangedRow): ChangedRow;
}

/** What the stream calls by numbers. Sees to it that each table still fits to the target's. */
export class Relations {
  readonly #from: FailoverPool;
  readonly #pairs: ReadonlyMap<string, Pair>;
  readonly #known = new Map<number, FollowedRelation | undefined>();

  constructor(from: FailoverPool, pairs: readonly Pair[]) {
    this.#from = from;
    this.#pairs = new Map(pairs.map((pair) => [nameOf(pair.source), pair]));
  }

  /** Undefined for what is not followed. */
  find(id: number): FollowedRelation | undefined {
    return this.#known.get(id);
  }

  /** @throws {JobError} `DDL_ON_SOURCE` */
  async take(relation: Relation, signal: AbortSignal): Promise<void> {
    const pair = this.#pairs.get(nameOf(relation));
    this.#known.set(relation.id, pair && (await this.#check(relation, pair, signal)));
  }

  async #check(relation: Relation, { source, target, losses }: Pair, signal: AbortSignal): Promise<FollowedRelation> {
    const name = nameOf(relation);
    const stop = (what: string): never => {
      const message = `${name}: ${what}. Change the target's table in the same way and follow again: it goes on where it has stopped`;
      throw new JobError("DDL_ON_SOURCE", message, { resumable: true });
    };
    const types = await this.#typesOf(relation, signal);
    const there = new Map(target.columns.map((column) => [column.name, column]));
    const here = new Map(source.columns.map((column) => [column.name, column]));
    const sources: Column[] = [];
    const columns = relation.columns.map((column, index) => {
      const own = here.get(column.name);
      const other = there.get(column.name);
      const type = types[index] ?? "";
      if (other === undefined) return stop(`the source has a column ${column.name}, and the target has none`);
      // to another system values go in a form that was found for this type
      if (own?.form !== undefined && own.type !== type)
        stop(`${column.name} is ${type} on the source, and was ${own.type}`);
      if (own?.form === undefined && !isLossless(type, other.type))
        stop(`${column.name} is ${type} on the source, and ${other.type} on the target`);
      there.delete(column.name);
      sources.push(own ?? other);
      return other;
    });
    const absent = source.columns.filter((column) => there.has(column.name));
    if (absent.length > 0) {
      // the stream may be of the time before they were added
      const now = (await readPrimary(this.#from, signal)).tables.find((table) => nameOf(table) === name);
      for (const { name: column } of absent) {
        const isThere = now?.columns.some((each) => each.name === column) === true;
        const fills = there.get(column);
        if (!isThere) stop(`the source has no column ${column} any more, and the target has one`);
        if (fills !== undefined && !fills.isNullable && !fills.hasDefault)
          stop(`the changes are of the time before the column ${column}, for which the target needs a value`);
      }
    }
    const table = followed(name, target, columns);
    const convert = rowConverter(sources) ?? ((row: ChangedRow) => row);
    const guard = new LossGuard(name, { columns: sources }, losses);
    return {
      table,
      toRow: (row) => {
        const converted = convert(row);
        guard.check(converted, table.keyOf);
        return converted;
      },
    };
  }

  /** Types as the system writes them, in the order of the columns. */
  #typesOf({ columns }: Relation, signal: AbortSignal): Promise<readonly string[]> {
    return this.#from.transaction(
      async (on) => {
        await on.query("SET LOCAL search_path = 'pg_catalog'");
        const rows = await ask<{ type: string }>(
          on,
          `SELECT coalesce(format_type(c.type::oid, c.modifier::int4), '?') AS type
           FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS c(type, modifier, n) ORDER BY n`,
          [columns.map(({ type }) => String(type)), columns.map(({ modifier }) => String(modifier))],
          signal,
        );
        return rows.map(({ type }) => type);
      },
      { ...PATIENT, readOnly: true, signal },
    );
  }
}
