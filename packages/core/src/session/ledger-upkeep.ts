import type { Call } from "../call.ts";
import type { Ledger, SessionContext } from "./context.ts";
import { askPrimary, onPrimary } from "./on-primary.ts";

/** Batches that one round of pruning removes at most; the next round goes on. */
const MAX_BATCHES = 20;

/** Tokens that one question asks for. */
const QUESTION_TOKENS = 1000;

/** Removes old tokens from the ledger, in bounded batches. Several processes may do so at once: they skip each other's rows. */
export async function pruneLedger(
  context: SessionContext,
  { statements, table }: Ledger,
  retentionMs: number,
  call: Call,
): Promise<void> {
  for (let batch = 0; batch < MAX_BATCHES; batch += 1) {
    const { rowCount } = await onPrimary(context, statements.prune(table, retentionMs), call);
    if (rowCount === null || rowCount === 0) return;
  }
}

/** Which of the tokens that the application was acknowledged are not on the present primary: lost with the former one. */
export async function findLost(
  context: SessionContext,
  { statements, table }: Ledger,
  tokens: readonly string[],
  call: Call,
): Promise<string[]> {
  const lost = new Set(tokens);
  for (let from = 0; from < tokens.length; from += QUESTION_TOKENS) {
    const asked = tokens.slice(from, from + QUESTION_TOKENS);
    const { rows } = await askPrimary(context, statements.find(table, asked), call);
    for (const { token } of rows) lost.delete(String(token));
  }
  return [...lost];
}
