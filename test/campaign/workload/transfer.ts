import type { Result } from "@mirrorpool/core";
import type { Random } from "../../simulation/random.ts";
import { ACCOUNTS } from "./bank.ts";

/** One bank transfer: two accounts and a row of the journal. */
export interface Transfer {
  readonly debited: number;
  readonly credited: number;
  readonly amount: number;
}

export function drawTransfer(random: Random): Transfer {
  const debited = random.integer(1, ACCOUNTS);
  const other = random.integer(1, ACCOUNTS - 1);
  return { debited, credited: other < debited ? other : other + 1, amount: random.integer(1, 20) };
}

/** The steps of a transfer that goes by hand. */
export const STEPS = ["BEGIN", "first account", "second account", "journal", "COMMIT"] as const;
export type Step = (typeof STEPS)[number];

type Query = (text: string, values: readonly unknown[]) => Promise<Result>;

/**
 * The statements between BEGIN and COMMIT. Accounts in their order, so that two transfers cannot wait for each other; no
 * statement answers with what others may have changed, so that each can be run again with the same answer.
 */
export function statementsOf(
  op: number,
  { debited, credited, amount }: Transfer,
): readonly (readonly [string, unknown[]])[] {
  const update = "UPDATE account SET balance = balance + $1 WHERE id = $2";
  const [first, second] = debited < credited ? ([-amount, amount] as const) : ([amount, -amount] as const);
  return [
    [update, [first, Math.min(debited, credited)]],
    [update, [second, Math.max(debited, credited)]],
    ["INSERT INTO journal (op, debited, credited, amount) VALUES ($1, $2, $3, $4)", [op, debited, credited, amount]],
  ];
}

/** Runs a whole transfer by hand, from BEGIN to COMMIT; `before` is awaited before each of its steps is sent. */
export async function transferByHand(
  query: Query,
  op: number,
  transfer: Transfer,
  before: (step: Step) => Promise<void> | void,
): Promise<void> {
  const statements = [["BEGIN", []], ...statementsOf(op, transfer), ["COMMIT", []]] as const;
  for (const [index, [text, values]] of statements.entries()) {
    await before(STEPS[index] as Step); // there are as many steps as statements
    await query(text, values);
  }
}
