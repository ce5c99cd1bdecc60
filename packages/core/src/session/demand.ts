import type { CallOptions } from "../call.ts";
import { optionRules } from "../config/options.ts";
import { showValue } from "../config/rules.ts";
import type { Statement, StatementFacts } from "../driver.ts";
import { OptionsError } from "../errors.ts";
import type { Consistency } from "../routing/freshness.ts";
import { freshAfter } from "../routing/freshness.ts";
import { freshAfterToken } from "../routing/freshness-token.ts";
import type { Demand } from "../routing/route.ts";
import { TO_PRIMARY } from "./acquire.ts";
import type { SessionContext } from "./context.ts";
import { importToken } from "./freshness-token.ts";
import type { Journal } from "./journal.ts";

/** What a caller may say for one statement. */
export interface StatementOptions extends CallOptions {
  /** How fresh a read has to be. Default: `routing.consistency`. */
  readonly consistency?: Consistency;
  /** A token of {@link FailoverPool.freshnessToken}: the read sees what that covers as well. */
  readonly freshAs?: string;
}

/** What has no effect, and yet belongs on the primary. */
const READ_PRIMARY: Demand = Object.freeze({ intent: "read", freshAfter: Number.POSITIVE_INFINITY });

/**
 * What a statement of a session asks of its node. A setting has no effect on data: a mirror will do, and it may be sent again.
 * So may PREPARE, and what asks for the catalogues, on the primary.
 * @param wroteAt when the session wrote: it sees that in any case
 */
export function demandOf(
  context: SessionContext,
  journal: Journal,
  statement: Statement,
  facts: StatementFacts,
  options: StatementOptions,
  wroteAt: number,
): Demand {
  const isState = facts.session === "setting" || facts.session === "prepared";
  const isCarried = isState && !journal.wouldPin(statement, facts);
  const hasNoEffect = facts.repeatable === true && facts.transaction === "none";
  const mayWrite = facts.intent === "write" && !isCarried && !hasNoEffect;
  if (mayWrite || context.misrouted.has(statement.text)) return TO_PRIMARY;
  if (hasNoEffect || facts.session === "prepared" || journal.state?.isForPrimary === true) return READ_PRIMARY;
  return readDemand(context, options, wroteAt);
}

/** A mistyped word would be no demand at all. @throws {OptionsError} */
function checkConsistency(given: Consistency | undefined): Consistency | undefined {
  const { of } = optionRules.routing.consistency;
  if (given === undefined || of.includes(given)) return given;
  const words = of.map((each) => JSON.stringify(each)).join(", ");
  throw new OptionsError("consistency", `one of ${words}`, showValue(given));
}

/** To be as fresh as its caller's own writes, and as what the caller was told by others. */
function readDemand(context: SessionContext, options: StatementOptions, wroteAt: number): Demand {
  const { config, readYourWrites, cell, driver } = context;
  const consistency = checkConsistency(options.consistency) ?? config.routing.consistency;
  const own = Math.max(freshAfter(consistency, readYourWrites), wroteAt);
  if (options.freshAs === undefined && consistency !== "context") return { intent: "read", freshAfter: own };
  const tokens = options.freshAs === undefined ? [] : [importToken(context, options.freshAs)];
  if (consistency === "context" && readYourWrites.token !== undefined) tokens.push(readYourWrites.token);
  // the writes of a whole process go on and on: waiting for a mirror that has the last one would be for ever
  const isOnesOwn = tokens.length > 0 || (consistency === "context" && readYourWrites.context !== undefined);
  const mayWait = isOnesOwn && consistency !== "strong" && config.routing.freshWaitMs > 0;
  const demand = (): Demand => {
    const told = tokens.map((token) => freshAfterToken(token, cell.current, driver.positions));
    return { intent: "read", freshAfter: Math.max(own, ...told), ...(mayWait && { anew: demand }) };
  };
  return demand();
}
