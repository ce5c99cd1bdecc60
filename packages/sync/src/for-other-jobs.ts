/** What jobs of other packages need of a database system. No part of the public API: it changes with any version. */
export { branch } from "./branch.ts";
export { planChunks } from "./copy/chunks.ts";
export { interleave } from "./copy/interleave.ts";
export { makeKeys } from "./copy/make-keys.ts";
export type { Dialect, View } from "./dialect.ts";
export { dialectOf } from "./dialects.ts";
export { JobError } from "./errors.ts";
export { isPassing, numberOf, ViewLost } from "./faults.ts";
export {
  type Catalog,
  type Column,
  type Constraints,
  nameOf,
  type Range,
  type SequenceState,
  type System,
  type Table,
} from "./model.ts";
export { ask as askMysql, askRows as askRowsOfMysql, tell as tellMysql } from "./mysql/ask.ts";
export { quoteName as quoteMysqlName, quoteText as quoteMysqlText } from "./mysql/quote.ts";
export { gtidsAt, readViewPlace } from "./mysql/view-place.ts";
export { isOwnTable } from "./own-tables.ts";
export { formed, type Pair, pairTables } from "./pair-tables.ts";
export { readCatalog as readPostgresCatalog } from "./postgres/catalog.ts";
export { readConstraints as readPostgresConstraints } from "./postgres/definitions.ts";
export { Meter } from "./progress.ts";
export { createTable } from "./types/create-table.ts";
export { type LossyRule, lossyRules } from "./types/fit.ts";
export { columnsInKeys, type Keys, keysFor } from "./types/keys-for.ts";
export type { Loss } from "./types/losses.ts";
export type { Form, NeutralType } from "./types/neutral.ts";
