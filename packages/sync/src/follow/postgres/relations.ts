import type { FailoverPool } from "@mirrorpool/core";
import { JobError } from "../../errors.ts";
import { nameOf } from "../../model.ts";
import { isLossless, type Pair } from "../../pair-tables.ts";
import { readPrimary } from "../../postgres/catalog.ts";
import type { Relation } from "../../postgres/pgoutput.ts";
import { ask, PATIENT } from "../../querier.ts";
import type { Followed } from "../change-source.ts";
import { followed } from "../followed.ts";

/** What the stream calls by numbers. Sees to it that each table still fits to the target's. */
export class Relations {
  readonly #from: FailoverPool;
  readonly #pairs: ReadonlyMap<string, Pair>;
  readonly #known = new Map<number, Followed | undefined>();

  constructor(from: FailoverPool, pairs: readonly Pair[]) {
    this.#from = from;
    this.#pairs = new Map(pairs.map((pair) => [nameOf(pair.source), pair]));
  }

  /** Undefined for what is not followed. */
  find(id: number): Followed | undefined {
    return this.#known.get(id);
  }

  /** @throws {JobError} `DDL_ON_SOURCE` */
  async take(relation: Relation, signal: AbortSignal): Promise<void> {
    const pair = this.#pairs.get(nameOf(relation));
    this.#known.set(relation.id, pair && (await this.#check(relation, pair, signal)));
  }

  async #check(relation: Relation, { source, target }: Pair, signal: AbortSignal): Promise<Followed> {
    const name = nameOf(relation);
    const stop = (what: string): never => {
      const message = `${name}: ${what}. Change the target's table in the same way and follow again: it goes on where it has stopped`;
      throw new JobError("DDL_ON_SOURCE", message, { resumable: true });
    };
    const types = await this.#typesOf(relation, signal);
    const there = new Map(target.columns.map((column) => [column.name, column]));
    const columns = relation.columns.map((column, index) => {
      const other = there.get(column.name);
      const type = types[index] ?? "";
      if (other === undefined) return stop(`the source has a column ${column.name}, and the target has none`);
      if (!isLossless(type, other.type))
        stop(`${column.name} is ${type} on the source, and ${other.type} on the target`);
      there.delete(column.name);
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
    return followed(name, target, columns);
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
