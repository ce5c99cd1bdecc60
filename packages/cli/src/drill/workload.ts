import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { FailoverPool } from "@mirrorpool/core";
import { UsageError } from "../errors.ts";

/** What one operation is told. */
export interface DrillCall {
  /** Which of the callers, from 0 on. */
  readonly caller: number;
  /** The number of the operation, over all callers. */
  readonly sequence: number;
  readonly signal: AbortSignal;
}

/** What a drill puts under load: the default export of a module. */
export interface DrillWorkload {
  /** Makes tables, once, before anything else. */
  setup?(pool: FailoverPool): Promise<void>;
  /** One operation as the application would do it, with its own retries. What it throws counts as an error of the application. */
  run(pool: FailoverPool, call: DrillCall): Promise<void>;
  /** After all faults: what is wrong with the data, one line each. */
  verify?(pool: FailoverPool): Promise<readonly string[]>;
}

/** @param path of a module; undefined: orders, counted */
export async function loadWorkload(path: string | undefined, folder: string): Promise<DrillWorkload> {
  if (path === undefined) return orders();
  const file = resolve(folder, path);
  const loaded: { readonly default?: unknown } = await import(pathToFileURL(file).href).catch((error: unknown) => {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  const workload = loaded.default;
  if (typeof workload === "object" && workload !== null && "run" in workload && typeof workload.run === "function")
    return workload as DrillWorkload; // the rest may be missing
  throw new UsageError(`${file}: it has to export a workload with a function \`run\` as its default`);
}

/** Each operation writes one order and reads one; in the end every acknowledged one has to be there, once. */
function orders(): DrillWorkload {
  const acknowledged = new Set<number>();
  return {
    async setup(pool) {
      await pool.query(
        "CREATE TABLE drill_order (id bigint PRIMARY KEY, placed_at timestamptz NOT NULL DEFAULT now())",
      );
    },
    async run(pool, { sequence, signal }) {
      await pool.query("INSERT INTO drill_order (id) VALUES ($1)", [sequence], { signal });
      acknowledged.add(sequence);
      await pool.query("SELECT id FROM drill_order WHERE id = $1", [sequence], { signal });
    },
    async verify(pool) {
      const { rows } = await pool.query<{ id: string }>("SELECT id::text AS id FROM drill_order", [], {
        consistency: "strong",
      });
      const there = new Set(rows.map(({ id }) => Number(id)));
      const lost = [...acknowledged].filter((id) => !there.has(id));
      return lost.length === 0 ? [] : [`${lost.length} acknowledged orders are not there, such as ${lost[0]}`];
    },
  };
}
