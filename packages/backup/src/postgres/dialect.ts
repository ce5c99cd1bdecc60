import { copyIn, copyOut } from "@mirrorpool/pg";
import type { Dialect } from "../dialect.ts";
import { RowContent } from "../stream/row-content.ts";
import { copyInStatement, copyOutStatement } from "./copy-statement.ts";
import { giveUp } from "./give-up.ts";
import { requireFit } from "./inspect.ts";
import { lockTarget } from "./lock.ts";
import { isOfRestore, mark, readMark, stepsDone, unmark } from "./mark.ts";
import { MARK } from "./mark-name.ts";
import { finish, prepare } from "./phases.ts";
import { quoteTable } from "./quote.ts";
import { steps } from "./steps.ts";
import { Unframer } from "./unframer.ts";
import { PostgresView } from "./view.ts";

/** PostgreSQL 14 and later. */
export const postgresDialect: Dialect = Object.freeze({
  system: "postgres",
  openView: (pool, from, _, signal) => PostgresView.open(pool, from, signal),
  steps,
  lock: lockTarget,
  quoteTable,
  readMark,
  mark,
  unmark,
  stepsDone,
  markName: `the schema ${MARK}`,
  requireFit,
  prepare,
  write: async (connection, _, table) => () => copyIn(connection, copyInStatement(table), true),
  isUnsafe: async () => false,
  isOfRestore,
  finish,
  giveUp,
  readBack: async (connection, _, table, signal) =>
    new RowContent(copyOut(connection, copyOutStatement(table)), (give, fresh) => new Unframer(give, fresh), signal),
} satisfies Dialect);
