import type { StepDialect } from "../dialect.ts";
import { messageOf } from "../errors.ts";
import { withSignal } from "../with-signal.ts";
import { MARK } from "./mark-name.ts";
import { applySettings } from "./settings.ts";

/** An index may take hours: such a step ends by the signal. */
const FOREVER = { timeoutMs: Number.POSITIVE_INFINITY } as const;

/** Read-only: the primary is being demoted, or the node is a mirror again. */
const LOSSES = new Set(["25006", "57P01", "57P02", "57P03", "40001", "40P01"]);

export const steps: StepDialect = Object.freeze({
  prepare: async (connection, signal) => {
    await applySettings(connection, signal);
    // a crash takes back rows and the step's row together, and the mark is not removed before all of them are safe
    await connection.query("SET synchronous_commit = off", [], withSignal(signal));
  },
  begin: async (connection) => {
    await connection.query("BEGIN");
  },
  claim: async (connection, step) => {
    const text = `INSERT INTO ${MARK}.step (name) VALUES ($1) ON CONFLICT DO NOTHING`;
    const { rowCount } = await connection.query(text, [step], FOREVER);
    return rowCount !== 0;
  },
  commit: async (connection) => {
    const { command } = await connection.query("COMMIT", [], FOREVER);
    return command === "COMMIT";
  },
  // it names columns and constraints; values are in its details
  messageOf,
  isLoss: (error) => LOSSES.has(String((error as { readonly code?: unknown } | null | undefined)?.code)),
} satisfies StepDialect);
