import type { Topology } from "../topology/topology.ts";
import type { SessionContext } from "./context.ts";
import { findLost } from "./ledger-upkeep.ts";
import { endOfRecovery, judgeWrites, type Losses, trustSynchronous } from "./losses.ts";

/** How many of the lost tokens an event names. */
const MAX_NAMED = 100;

/** Of the ledger's retention; what is older may have been pruned already, by a clock that is not ours. */
const ASKED_SHARE = 0.9;

/**
 * After a failover: finds out which acknowledged writes the new primary does not have, by tokens where they have one, else by
 * positions, and tells the application unless nothing was lost for certain.
 */
export async function reportLosses(context: SessionContext, before: Topology, after: Topology): Promise<void> {
  const { primary, epoch } = after;
  const writes = context.writes.take();
  if (primary === undefined) return;
  const end = endOfRecovery(before, after);
  const former = before.nodes.get(before.reign?.node ?? "")?.observation;
  const byPosition = trustSynchronous(
    judgeWrites(writes, before.samples, end, context.driver.positions),
    former?.isSynchronous === true,
  );
  const byToken = await askLedger(context, after.nodes.get(primary)?.observation?.isPeer === true);
  if (context.isClosed) return;
  const count = byPosition.lost + byToken.lost;
  const unknown = byPosition.unknown + byToken.unknown;
  if (count + unknown === 0) return;
  context.counters.ackedWritesLost += count;
  context.counters.ackedWritesUnknown += unknown;
  const kept = byPosition.kept + byToken.kept;
  context.events.emit("acked-writes-lost", {
    node: primary,
    epoch,
    count,
    unknown,
    kept,
    asked: count + unknown + kept,
    tokens: byToken.tokens.slice(0, MAX_NAMED),
    positions: { endOfRecovery: end, lastSeen: before.samples.at(-1)?.position },
  });
}

/** A peer agrees to a commit before it carries it out: what it has not yet is asked for again. */
const PEER_PAUSE_MS = 250;
const PEER_TRIES = 20;

/** Asks the new primary for all commits with a token that the application was acknowledged. */
async function askLedger(
  context: SessionContext,
  isPeer: boolean,
): Promise<Losses & { readonly tokens: readonly string[] }> {
  const { ledger, config, environment, acknowledged } = context;
  if (ledger === undefined || config.exactlyOnce === undefined) return { kept: 0, lost: 0, unknown: 0, tokens: [] };
  const asked = acknowledged.since(environment.now() - ASKED_SHARE * config.exactlyOnce.retentionMs);
  try {
    const find = (tokens: readonly string[]): Promise<string[]> =>
      findLost(context, ledger, tokens, context.createCall(undefined, undefined));
    let tokens = await find(asked);
    for (let tries = 0; isPeer && tokens.length > 0 && tries < PEER_TRIES && !context.isClosed; tries += 1) {
      await context.createCall(undefined, undefined).pause(PEER_PAUSE_MS);
      tokens = await find(tokens);
    }
    return { kept: asked.length - tokens.length, lost: tokens.length, unknown: 0, tokens };
  } catch {
    return { kept: 0, lost: 0, unknown: asked.length, tokens: [] };
  }
}
