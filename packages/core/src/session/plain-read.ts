import type { Statement, StatementFacts } from "../driver.ts";
import type { Demand } from "../routing/route.ts";
import type { Binding } from "./binding.ts";
import type { SessionContext } from "./context.ts";

/** A read outside a transaction that leaves nothing on its connection, and needs nothing there. */
export function isPlainRead(binding: Binding, facts: StatementFacts, demand: Demand): boolean {
  if (demand.intent !== "read") return false;
  if (facts.session !== "none" || facts.transaction !== "none" || facts.multiple || facts.stream) return false;
  const { isPinned, transaction, journal } = binding;
  return !isPinned && transaction === undefined && journal.state === undefined;
}

/** A plain read that may share its connection with others. */
export function isShareable({ config, driver }: SessionContext, statement: Statement): boolean {
  return config.pool.shareReads && driver.mayPipeline?.(statement) === true;
}
