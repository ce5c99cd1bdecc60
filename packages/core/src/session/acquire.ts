import type { Call } from "../call.ts";
import type { Fault, SessionState } from "../driver.ts";
import {
  AbortedError,
  AcquireTimeoutError,
  NoNodeError,
  NoPrimaryError,
  PoolClosedError,
  SplitBrainError,
} from "../errors.ts";
import { jittered } from "../jittered.ts";
import { ConnectFailure } from "../pool/connect-failure.ts";
import type { Lease } from "../pool/lease.ts";
import type { NodePool } from "../pool/node-pool.ts";
import { balance, type Candidate } from "../routing/balance.ts";
import type { Demand, Route } from "../routing/route.ts";
import { mayAnswer, route } from "../routing/route.ts";
import { isSameState } from "../same-state.ts";
import { faultText } from "../topology/fault-text.ts";
import type { NodeId } from "../topology/node.ts";
import { describeNodes, reportNodes } from "../topology/report.ts";
import type { Topology } from "../topology/topology.ts";
import type { SessionContext } from "./context.ts";
import { establish, StateRefused } from "./establish.ts";

/** What may have an effect, or has to see all effects, goes to the primary. */
export const TO_PRIMARY: Demand = Object.freeze({ intent: "write", freshAfter: Number.POSITIVE_INFINITY });

/** The rest of a transaction that has begun: not held, since its end is waited for. */
export const UNDER_WAY: Demand = Object.freeze({ ...TO_PRIMARY, isUnderWay: true });

/** A transaction that is run again, and the question for its outcome. */
export const RESUMED: Demand = Object.freeze({ ...UNDER_WAY, isResumed: true });

const RETRY_DELAY_MS = 25;

/** What a connection has to be like, besides leading to a node that may answer. */
export interface Wanted {
  /** What the session has set; undefined for a connection as it was opened. */
  readonly state?: SessionState | undefined;
  /** A node to leave out as long as there is another one. */
  readonly avoid?: NodeId | undefined;
  /** The text of a read that may share its connection with others. */
  readonly shareable?: string | undefined;
}

/**
 * The one loop in which a statement gets its connection: route, borrow, set up what the session has set, and where that
 * failed, route anew. Waits for a usable node and for a free connection, under the call's one deadline. The world may have
 * moved meanwhile: ask {@link maySend} right before sending.
 * @throws {StateRefused} when not even the primary takes what the session has set
 */
export async function acquire(
  context: SessionContext,
  asked: Demand,
  call: Call,
  { state, avoid, shareable }: Wanted = {},
): Promise<Lease> {
  let demand = asked;
  let failed: Map<NodeId, ConnectFailure> | undefined;
  let excluded = avoid === undefined ? undefined : new Set([avoid]);
  for (;;) {
    if (context.isClosed) throw new PoolClosedError();
    call.throwIfAborted();
    const found = findRoute(context, excluded === undefined ? demand : { ...demand, excluded });
    if (found.type === "wait") {
      if (failed !== undefined) await retreat(context, failed, call);
      else if (excluded === undefined) await waitForNode(context, found.reason, demand, call);
      failed = undefined;
      excluded = undefined;
      continue;
    }
    if (isNewWrite(demand) && !context.precedence.mayGo(found.nodes[0] as NodeId)) {
      await context.precedence.wait(call);
      if (!call.isOver) continue;
    }
    const pool = choose(context, found.nodes);
    const place = shareable === undefined ? undefined : pool.multiplexer.take(shareable);
    if (place !== undefined) return place;
    try {
      const lease = await pool.acquire(call, state, shareable !== undefined && pool.multiplexer.isFast(shareable));
      if (!isSameState(lease.pooled.state, state)) await establish(context, lease, state, call);
      return (shareable === undefined ? undefined : pool.multiplexer.adopt(lease, shareable)) ?? lease;
    } catch (error) {
      if (error instanceof StateRefused && context.cell.current.primary !== pool.node) {
        // a mirror may lag behind what the state names, such as a role
        demand = { ...demand, freshAfter: Number.POSITIVE_INFINITY };
        continue;
      }
      if (!(error instanceof ConnectFailure)) throw error;
      failed = (failed ?? new Map()).set(pool.node, error);
      excluded = (excluded ?? new Set()).add(pool.node);
      if (error.fault.kind !== "configuration" && error.fault.kind !== "overloaded") context.suspect();
    }
  }
}

/**
 * The connection, where one is at hand that needs nothing done to it: most statements find one, and every promise costs them
 * something. Undefined where {@link acquire} has to be asked.
 */
export function acquireAtHand(context: SessionContext, demand: Demand, call: Call, wanted: Wanted): Lease | undefined {
  const { state, avoid, shareable } = wanted;
  if (context.isClosed || call.signal?.aborted === true || avoid !== undefined || state !== undefined) return undefined;
  const found = findRoute(context, demand);
  if (found.type === "wait" || (!context.precedence.isOpen && isNewWrite(demand))) return undefined;
  const pool = choose(context, found.nodes);
  return (shareable === undefined ? undefined : pool.multiplexer.take(shareable)) ?? pool.takeIdle();
}

const isNewWrite = ({ intent, isResumed }: Demand): boolean => intent === "write" && isResumed !== true;

/** Resolves when a node could answer a read. @throws as {@link acquire} does where none comes in time */
export async function awaitReadable(context: SessionContext, call: Call): Promise<void> {
  const demand: Demand = { intent: "read", freshAfter: Number.NEGATIVE_INFINITY };
  for (;;) {
    if (context.isClosed) throw new PoolClosedError();
    call.throwIfAborted();
    const found = findRoute(context, demand);
    if (found.type === "nodes") return;
    await waitForNode(context, found.reason, demand, call);
  }
}

/** The topology as it is now would still let this node have such a statement. Asked right before sending. */
export function maySend(context: SessionContext, demand: Demand, node: NodeId): boolean {
  return mayAnswer(context.cell.current, demand, node, context.config.routing);
}

/** A superseded primary gets nothing more, not even the rest of a transaction: what is given to its connection is not sent. */
export function cutUnlessPrimary({ cell }: SessionContext, lease: Lease): void {
  if (cell.current.primary !== lease.node) lease.connection.destroy();
}

function findRoute(context: SessionContext, demand: Demand): Route {
  return route(context.cell.current, demand, context.config.routing);
}

function choose(context: SessionContext, nodes: readonly NodeId[]): NodePool {
  const first = nodes[0] as NodeId; // a route has at least one node
  const best = nodes.length === 1 ? first : pick(context, nodes);
  return context.pools.get(best) as NodePool; // every node of the topology has its pool
}

function pick(context: SessionContext, nodes: readonly NodeId[]): NodeId {
  const { cell, config, environment, pools } = context;
  const candidateOf = (id: NodeId): Candidate => {
    const { busy, weight } = pools.get(id) as NodePool; // every node of the topology has its pool
    return { busy, latencyMs: cell.current.nodes.get(id)?.latencyMs ?? 0, weight };
  };
  return balance(nodes, candidateOf, config.routing.balance, config.hasEvenWeights, () => environment.random());
}

/** Every node that could serve has just failed to give a connection: hands on what cannot mend, else rests a little. */
async function retreat(
  context: SessionContext,
  failed: ReadonlyMap<NodeId, ConnectFailure>,
  call: Call,
): Promise<void> {
  const failures = [...failed.values()];
  const last = failures.at(-1);
  if (failures.every(({ fault }) => fault.kind === "configuration")) throw last?.cause;
  const waitedMs = context.environment.now() - call.startedAt;
  const isOverloaded = failures.some(({ fault }) => fault.kind === "overloaded");
  if (call.isOver || (isOverloaded && waitedMs >= context.config.timeouts.acquireMs)) {
    const node = [...failed.keys()].at(-1) ?? "";
    const stats = context.pools.get(node)?.stats;
    throw new AcquireTimeoutError(node, waitedMs, stats?.inUse ?? 0, stats?.waiting ?? 0, last?.cause);
  }
  await call.pause(jittered(RETRY_DELAY_MS, 0.5, context.environment.random()));
}

/** Waits until a node may answer such a demand. @throws as {@link acquire} does where none comes in time */
export async function waitForNode(
  context: SessionContext,
  reason: Extract<Route, { type: "wait" }>["reason"],
  demand: Demand,
  call: Call,
): Promise<void> {
  const { current } = context.cell;
  if (reason === "split-brain") {
    const nodes = reportNodes(current, context.environment.now());
    throw new SplitBrainError(
      `two nodes claim to be primary and none is provably newer: ${describeNodes(nodes)}`,
      nodes,
    );
  }
  const refused = refusedLogin(current);
  if (refused !== undefined) throw nobody(context, demand, undefined, refused);
  await context.room.wait(
    call,
    (topology) => {
      const found = route(topology, demand, context.config.routing);
      return found.type === "nodes" || found.reason === "split-brain" || refusedLogin(topology) !== undefined;
    },
    context.config.timeouts.failoverMs,
    (cause) =>
      cause === "aborted"
        ? new AbortedError(call.signal?.reason)
        : nobody(context, demand, context.environment.now() - call.startedAt),
  );
}

/** What says that nobody is there, and so nothing of the login. */
const ABSENT: ReadonlySet<Fault["kind"]> = new Set(["refused", "unreachable", "silent", "gone"]);

/**
 * Where our login was refused and waiting would mend nothing, an error that says why: by every node, or by every one that answers,
 * and none has ever let us in.
 */
export function refusedLogin({ nodes }: Topology): Error | undefined {
  const reasons = new Set<string>();
  let isSilent = false;
  for (const { status, fault, observation } of nodes.values()) {
    if (status !== "down" || fault === undefined) return undefined;
    if (fault.kind === "configuration") reasons.add(faultText(fault));
    else if (observation === undefined && ABSENT.has(fault.kind)) isSilent = true;
    else return undefined;
  }
  if (reasons.size === 0) return undefined;
  // a login that was good once may be good on the node that is away
  if (isSilent && [...nodes.values()].some(({ observation }) => observation !== undefined)) return undefined;
  return new Error(`every node${isSilent ? " that answers" : ""} refused our login: ${[...reasons].join(", ")}`);
}

function nobody(
  context: SessionContext,
  demand: Demand,
  waitedMs: number | undefined,
  cause?: Error,
): NoPrimaryError | NoNodeError {
  const nodes = reportNodes(context.cell.current, context.environment.now());
  const held = context.cell.current.hold === "none" ? "" : ` (new work is held: ${context.cell.current.hold})`;
  const what = demand.intent === "write" ? "no primary that takes writes" : "no node that can answer this read";
  const why = waitedMs === undefined ? `, ${cause?.message}` : ` within ${Math.round(waitedMs)} ms${held}`;
  const message = `${what}${why}: ${describeNodes(nodes)}`;
  return demand.intent === "write" ? new NoPrimaryError(message, nodes, cause) : new NoNodeError(message, nodes, cause);
}
