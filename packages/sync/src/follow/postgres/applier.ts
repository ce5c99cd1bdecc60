import { codeOf } from "../../faults.ts";
import { WRITER_SETTINGS } from "../../postgres/dialect.ts";
import { quoteTable } from "../../postgres/quote.ts";
import { deleteRows, insertRows, readRows, updateRows, writeRows } from "../../postgres/rows.ts";
import type { Applier } from "../applier.ts";

/**
 * @param isReplica triggers and foreign keys are left alone, as the server's own replication does
 * @param keepsOrder of tables whose foreign keys act, where the source does not tell what they do
 */
export function postgresApplier(isReplica: boolean, keepsOrder: ReadonlySet<string>): Applier {
  const mode = isReplica ? "SET LOCAL session_replication_role = 'replica'" : "SET CONSTRAINTS ALL DEFERRED";
  const settings = [...WRITER_SETTINGS, mode].join("; ");
  return {
    hasActions: !isReplica,
    keepsOrder,
    prepare: async (on) => {
      await on.query(settings);
    },
    insertRows,
    updateRows,
    deleteRows,
    writeRows,
    readRows,
    truncate: async (on, tables, { isCascade, restartsIdentity }) => {
      const identity = restartsIdentity ? " RESTART IDENTITY" : "";
      await on.query(`TRUNCATE TABLE ${tables.map(quoteTable).join(", ")}${identity}${isCascade ? " CASCADE" : ""}`);
    },
    // class 23: integrity constraint violation
    isConflict: (error) => codeOf(error)?.startsWith("23") === true,
  };
}
