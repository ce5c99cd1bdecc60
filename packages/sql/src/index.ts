export type { SessionChange } from "./changes.ts";
export type { Dialect, ServerOptions } from "./dialect.ts";
export type { Intent, SessionEffect, StatementFacts, TransactionEffect } from "./facts.ts";
export { inspect } from "./inspect.ts";
export { createInspector, type Inspector, type InspectorOptions } from "./inspector.ts";
export { sessionChanges } from "./session-changes.ts";
