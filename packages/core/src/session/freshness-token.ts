import type { Call } from "../call.ts";
import type { Positions } from "../driver.ts";
import { DeadlineError, OptionsError } from "../errors.ts";
import { type FreshnessToken, formatToken, parseToken } from "../routing/freshness-token.ts";
import { until } from "../topology/until.ts";
import type { SessionContext } from "./context.ts";

/**
 * A token that covers the last write of the caller's context, outside of any that of the process; undefined when there was none.
 * No query: waits for the monitor's next sample of the primary.
 * @throws {DeadlineError} when there is no primary to take one from in time
 */
export async function exportToken(context: SessionContext, call: Call): Promise<string | undefined> {
  const { cell, readYourWrites, environment } = context;
  const wroteAt = readYourWrites.context ?? readYourWrites.process;
  if (wroteAt === Number.NEGATIVE_INFINITY) return readYourWrites.token && formatToken(readYourWrites.token);
  call.throwIfAborted();
  const isSampled = await until(
    cell,
    ({ samples }) => {
      if ((samples.at(-1)?.sentAt ?? Number.NEGATIVE_INFINITY) > wroteAt) return true;
      context.suspect();
      return false;
    },
    call,
  );
  const { reign, samples } = cell.current;
  const sample = samples.at(-1);
  if (isSampled && reign !== undefined && sample !== undefined) {
    return formatToken({ systemId: reign.systemId, timeline: reign.timeline, position: sample.position });
  }
  call.throwIfAborted();
  throw new DeadlineError("freshnessToken", undefined, environment.now() - call.startedAt);
}

/** @throws {OptionsError} for what is no token, or one of another cluster */
export function importToken({ cell, driver }: SessionContext, text: string): FreshnessToken {
  const token = typeof text === "string" ? parseToken(text) : undefined;
  const { reign } = cell.current;
  const isKnown = token !== undefined && (reign === undefined || reign.systemId === token.systemId);
  const isOurs = isKnown && isPosition(driver.positions, token.position);
  if (!isOurs)
    throw new OptionsError("freshAs", "a token that freshnessToken() of this cluster gave", JSON.stringify(text));
  return token;
}

/** A token may come from anywhere, a cookie for example, and the driver's comparison takes only what is a position. */
function isPosition({ covers }: Positions, text: string): boolean {
  try {
    return covers(text, text);
  } catch {
    return false;
  }
}
