import type { Call } from "../call.ts";
import type { SessionState, Statement, StatementFacts } from "../driver.ts";
import type { Demand } from "../routing/route.ts";
import { TO_PRIMARY, type Wanted } from "./acquire.ts";
import type { StatementOptions } from "./demand.ts";
import type { LedgerUse } from "./send.ts";

/** One statement on its way, from the first attempt to its answer: what it asks now, and what has befallen it so far. */
export class Errand implements Wanted {
  readonly statement: Statement;
  readonly facts: StatementFacts;
  readonly options: StatementOptions;
  readonly call: Call;
  /** Whether it is all that its turn is for, or a part of it. */
  readonly extent: "turn" | "part";
  /** What it asks of its node, where its text does not say it. */
  readonly fixed: Demand | undefined;
  /** The BEGIN that goes before it in the same flush. */
  readonly begin: Statement | undefined;
  /** What it asks by itself. */
  demand: Demand = TO_PRIMARY;
  /** What its node has to be. */
  place: Demand = TO_PRIMARY;
  state: SessionState | undefined = undefined;
  /** A read outside of any transaction, on a connection that its session has taken for it alone. */
  isPlain = false;
  /** Its text, where it may share a connection. */
  shareable: string | undefined = undefined;
  ledgerUse: LedgerUse | undefined = undefined;
  sentAt = 0;
  losses = 0;
  refusals = 0;
  conflicts = 0;
  /** The node where it has failed last. */
  avoid: string | undefined = undefined;
  /** It has left a shared connection whose head was slow. */
  isDisplaced = false;

  constructor(
    statement: Statement,
    facts: StatementFacts,
    options: StatementOptions,
    call: Call,
    extent: "turn" | "part",
    { fixed, begin }: { readonly fixed?: Demand; readonly begin?: Statement | undefined } = {},
  ) {
    this.statement = statement;
    this.facts = facts;
    this.options = options;
    this.call = call;
    this.extent = extent;
    this.fixed = fixed;
    this.begin = begin;
  }
}
