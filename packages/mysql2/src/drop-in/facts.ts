import type { StatementFacts } from "@mirrorpool/core";
import { createInspector } from "@mirrorpool/sql";

const inspector = createInspector("mysql");

/** What the text of a statement says; remembered, since each is looked at several times, and applications have few. */
export const factsOf = (text: string): StatementFacts => inspector.inspect(text);
