import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "../dialects.ts";
import type { Refusal } from "../errors.ts";
import { type Catalog, nameOf } from "../model.ts";
import { isMariadb } from "../mysql/catalog.ts";
import type { Flavor } from "../mysql/settings.ts";
import type { Pair } from "../pair-tables.ts";
import { readActions, silentActions } from "./actions.ts";
import type { Applier } from "./applier.ts";
import type { ChangeSource } from "./change-source.ts";
import { postgresApplier } from "./postgres/applier.ts";
import { mayActAsReplica, sourceObstacles, triggerObstacles } from "./postgres/obstacles.ts";
import { PostgresSource } from "./postgres/source.ts";

/** Between what is followed. */
export interface Given {
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  readonly bridge: Bridge;
  readonly source: Catalog;
  readonly target: Catalog;
  readonly pairs: readonly Pair[];
  /** Of what the source keeps for this job. */
  readonly name: string;
  readonly numbers: Readonly<Record<"connections" | "maxBatchBytes", number>>;
  readonly signal: AbortSignal;
}

/** Where changes come from and who writes them, by the systems on both sides, and what stands in the way. */
export async function openSides(
  given: Given,
): Promise<{ readonly source: ChangeSource; readonly applier: Applier; readonly refusals: readonly Refusal[] }> {
  const refusals: Refusal[] = [];
  const keepsOrder = await orderKept(given, refusals);
  const source = await openSource(given, refusals);
  return { source, applier: await openApplier(given, keepsOrder, refusals), refusals };
}

/** Of MariaDB or MySQL. */
export const flavorOf = ({ major }: Catalog): Flavor => (isMariadb(major) ? "mariadb" : "mysql");

async function openSource(given: Given, refusals: Refusal[]): Promise<ChangeSource> {
  const { from, bridge, pairs, name, numbers, signal } = given;
  const maxBytes = numbers.maxBatchBytes;
  const tables = pairs.map((pair) => pair.source);
  if (bridge.from === "postgres") {
    refusals.push(...(await sourceObstacles(from, tables)));
    return new PostgresSource({ from, pairs, name, maxBytes });
  }
  // whoever has no MySQL need not install its driver
  const [{ MysqlSource }, obstacles] = await Promise.all([import("./mysql/source.ts"), import("./mysql/obstacles.ts")]);
  const flavor = flavorOf(given.source);
  refusals.push(...(await obstacles.sourceObstacles(from, flavor, tables, signal)));
  return new MysqlSource({ from, pairs, flavor, connections: numbers.connections, maxBytes });
}

async function openApplier(given: Given, keepsOrder: ReadonlySet<string>, refusals: Refusal[]): Promise<Applier> {
  const { to, bridge, pairs } = given;
  const tables = pairs.map((pair) => pair.target);
  if (bridge.to === "postgres") {
    const isReplica = await mayActAsReplica(to);
    const isTold = keepsOrder.size > 0;
    if (!isReplica || isTold) refusals.push(...(await triggerObstacles(to, bridge, tables)));
    if (!isReplica && isTold) {
      const reason =
        "foreign keys of the source change rows by themselves, and its binary log does not always say so: GRANT SET ON PARAMETER session_replication_role to the target's role, so that those of the target can do the same only where they have to";
      refusals.push({ table: "", reason });
    }
    return postgresApplier(isTold ? "as-told" : isReplica ? "never" : "always", keepsOrder);
  }
  const [{ mysqlApplier }, { targetObstacles }] = await Promise.all([
    import("./mysql/applier.ts"),
    import("./mysql/obstacles.ts"),
  ]);
  refusals.push(...(await targetObstacles(to, tables)));
  return mysqlApplier(flavorOf(given.target), pairs, keepsOrder, bridge.target.isConflict);
}

/** Tables whose changes change rows of others, by foreign keys, without a word in the source's log: the target's have to do the same. */
export async function orderKept(
  { from, to, bridge, pairs }: Pick<Given, "from" | "to" | "bridge" | "pairs">,
  refusals: Refusal[],
): Promise<ReadonlySet<string>> {
  if (bridge.from === "postgres") return new Set();
  const tables = pairs.map(({ source }) => source);
  const [here, there] = await Promise.all([readActions(from, bridge.from), readActions(to, bridge.to)]);
  const { acting, missing } = silentActions(here, there, tables);
  refusals.push(
    ...missing.map(({ name, child, parent }) => {
      const reason = `its foreign key ${name} changes its rows with those of ${parent}, and the source's binary log does not always say so: follow ${parent} too, and give the target the same foreign key`;
      return { table: `public.${child}`, reason };
    }),
  );
  return new Set(acting.map(({ parent }) => nameOf({ schema: "public", name: parent })));
}
