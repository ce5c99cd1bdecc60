import type { PgBoss } from "pg-boss";
import type { Answer, Outcome, Request } from "./message.ts";

/** @throws what kept the answer from the queue: the unit is to be done again then, since somebody waits for what came of it */
export async function giveAnswer(
  queue: Pick<PgBoss, "send" | "getQueue">,
  { answers, id }: Pick<Request, "answers" | "id">,
  outcome: Outcome,
): Promise<void> {
  try {
    await queue.send(answers, { id, outcome } satisfies Answer);
  } catch (error) {
    // whoever has given it out may be gone, and its queue with it
    if ((await queue.getQueue(answers)) !== null) throw error;
  }
}
