import { nameOf, type TableName } from "./model.ts";

/** The commit ledger where no other name was given: it knows what this cluster has committed, and no other one. */
const LEDGER = "mirrorpool_ledger";

/** Where jobs keep on their target how far they are. */
export const JOBS = "mirrorpool_job";
export const CHUNKS = "mirrorpool_chunk";

const OWN: ReadonlySet<string> = new Set([LEDGER, JOBS, CHUNKS].map((name) => nameOf({ schema: "public", name })));

/** A table of mirrorpool's own: its rows mean nothing in another database, nor in the same one at another time. Pure. */
export const isOwnTable = (table: TableName): boolean => OWN.has(nameOf(table));
