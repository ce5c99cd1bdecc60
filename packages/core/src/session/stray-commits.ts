import type { Connection } from "../driver.ts";
import { PoolClosedError } from "../errors.ts";
import type { NodeId } from "../topology/node.ts";
import type { Ledger, SessionContext } from "./context.ts";
import { findLost } from "./ledger-upkeep.ts";

/** Tokens that are kept; the oldest go first. */
const MAX_TOKENS = 1000;
/** How often one token is asked for: a late COMMIT may arrive some time after its server is back. */
const MAX_QUESTIONS = 30;
/** How many of the tokens an event names. */
const MAX_NAMED = 100;

/**
 * Tokens of commits that were sent and that the application was not acknowledged: their transactions were fenced, run again
 * under another token, or are unknown. On the server that they were sent to they may stand all the same, or may yet arrive.
 */
export class StrayCommits {
  readonly #tokens = new Map<string, { readonly node: NodeId; questions: number }>();

  add(token: string, node: NodeId): void {
    this.#tokens.set(token, { node, questions: 0 });
    if (this.#tokens.size <= MAX_TOKENS) return;
    for (const oldest of this.#tokens.keys()) {
      this.#tokens.delete(oldest);
      return;
    }
  }

  /** Those that this node is to be asked for now. */
  ask(node: NodeId): readonly string[] {
    const asked: string[] = [];
    for (const [token, each] of this.#tokens) {
      if (each.node !== node) continue;
      each.questions += 1;
      asked.push(token);
      if (each.questions >= MAX_QUESTIONS) this.#tokens.delete(token);
    }
    return asked;
  }

  forget(tokens: Iterable<string>): void {
    for (const token of tokens) this.#tokens.delete(token);
  }
}

/**
 * Asks a superseded primary that is back for commits that stand there and not on the present primary, and tells the
 * application. It only reads, on a connection of its own that is closed at once.
 * @throws what the connection throws; asked again later
 */
export async function reportStrays(
  context: SessionContext,
  ledger: Ledger,
  node: NodeId,
  open: () => Promise<Connection>,
): Promise<void> {
  const { cell, strays, counters, events } = context;
  const asked = strays.ask(node);
  if (asked.length === 0) return;
  const standing = await findOn(context, ledger, asked, open);
  if (standing.length === 0) return;
  // what the present primary has as well was mirrored in time
  const stray = await findLost(context, ledger, standing, context.createCall(undefined, undefined));
  strays.forget(standing);
  if (stray.length === 0) return;
  counters.strayCommits += stray.length;
  events.emit("stray-commits", {
    node,
    epoch: cell.current.epoch,
    count: stray.length,
    tokens: stray.slice(0, MAX_NAMED),
  });
}

async function findOn(
  context: SessionContext,
  { statements, table }: Ledger,
  tokens: readonly string[],
  open: () => Promise<Connection>,
): Promise<string[]> {
  const connection = await open();
  try {
    if (context.isClosed) throw new PoolClosedError();
    const call = context.createCall(context.config.timeouts.connectMs, undefined);
    const running = connection.run(statements.find(table, tokens));
    const { rows } = await call.guard(running, () => new Error("no answer in time"));
    return rows.map(({ token }) => String(token));
  } finally {
    connection.destroy();
  }
}
