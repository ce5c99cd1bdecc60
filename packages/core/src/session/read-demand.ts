import type { Consistency } from "../routing/freshness.ts";
import { freshAfter } from "../routing/freshness.ts";
import { freshAfterToken } from "../routing/freshness-token.ts";
import type { Demand } from "../routing/route.ts";
import type { SessionContext } from "./context.ts";
import { importToken } from "./freshness-token.ts";

/**
 * What a read asks of its node: to be as fresh as its caller's own writes, and as what the caller was told by others.
 * @param wroteAt when its session wrote: it sees that in any case
 */
export function readDemand(
  context: SessionContext,
  options: { readonly consistency?: Consistency; readonly freshAs?: string },
  wroteAt: number,
): Demand {
  const { config, readYourWrites, cell, driver } = context;
  const consistency = options.consistency ?? config.routing.consistency;
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
