import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "../dialects.ts";
import { type Refusal, refused } from "../errors.ts";
import { type Catalog, type Constraints, nameOf, type Table } from "../model.ts";
import { PATIENT } from "../querier.ts";
import { createTable } from "../types/create-table.ts";
import { columnsInKeys, keysFor } from "../types/keys-for.ts";

/**
 * Makes the tables that the target does not have. Returns its catalogue with them.
 * @throws {JobError} `REFUSED` before the first one is made, where one of them cannot be
 */
export async function makeMissing(
  work: { readonly bridge: Bridge; readonly to: FailoverPool; readonly job: string; readonly signal: AbortSignal },
  tables: readonly Table[],
  target: Catalog,
  constraints: Constraints,
): Promise<Catalog> {
  const { bridge, to, job, signal } = work;
  const there = new Set(target.tables.map(nameOf));
  const missing = tables.filter((table) => !there.has(nameOf(table)));
  if (missing.length === 0) return target;
  const refusals: Refusal[] = [];
  const texts: string[] = [];
  const keysOf = columnsInKeys(keysFor(constraints, tables, bridge.to));
  for (const each of missing) {
    const table = nameOf(each);
    if (bridge.from === bridge.to)
      refusals.push({
        table,
        reason: "createTables is for another system: the own one has tools that make everything",
      });
    else if (bridge.to === "mysql" && each.schema !== "public")
      refusals.push({ table, reason: "MariaDB and MySQL have the tables of the schema public only" });
    else {
      const made = createTable(each, bridge.to, bridge.lossy, keysOf(each));
      if (made.text === undefined) refusals.push(...made.refusals.map((refusal) => ({ table, ...refusal })));
      else texts.push(made.text);
    }
  }
  if (refusals.length > 0) throw refused(`the copy ${job} is`, refusals);
  for (const text of texts) await to.query(text, undefined, { ...PATIENT, signal });
  return bridge.target.readPrimary(to, signal);
}
