import { codeOf } from "../../faults.ts";
import { WRITER_SETTINGS } from "../../postgres/dialect.ts";
import { quoteTable } from "../../postgres/quote.ts";
import { deleteRows, insertRows, readRows, updateRows, writeRows } from "../../postgres/rows.ts";
import type { Applier } from "../applier.ts";

const ALONE = "SET LOCAL session_replication_role = 'replica'";
const DEFERRED = "SET CONSTRAINTS ALL DEFERRED";
const ACTING = `SET LOCAL session_replication_role = 'origin'; ${DEFERRED}`;

/**
 * @param actions where these are not `always`, triggers and foreign keys are left alone, as the server's own replication does
 * @param keepsOrder tables to which foreign keys refer that act as told
 */
export function postgresApplier(actions: Applier["actions"], keepsOrder: ReadonlySet<string>): Applier {
  const settings = [...WRITER_SETTINGS, actions === "always" ? DEFERRED : ALONE].join("; ");
  return {
    actions,
    keepsOrder,
    prepare: async (on) => {
      await on.query(settings);
    },
    act: async (on, doAct) => {
      await on.query(doAct ? ACTING : ALONE);
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
