import { refusals } from "../driver/codes.ts";
import type { Check, Of, Violation } from "./check.ts";
import { all, tokenOf } from "./check.ts";
import { hasLedger } from "./lineage.ts";

/**
 * No write is sent again unless the first one was refused before any effect, or was undone with its transaction, which is
 * replayed; and none is committed twice.
 */
export const noWriteRunsTwice: Check = (happenings) => {
  const violations: Violation[] = [];
  const rule = "no write runs twice";
  const answers = new Map(all(happenings, "answered").map((answer) => [answer.send, answer]));
  const sent = new Map<string, Of<"sent">>();
  for (const sending of all(happenings, "sent")) {
    const { at, text } = sending;
    const token = tokenOf(text);
    if (token === undefined) continue;
    const earlier = sent.get(token);
    sent.set(token, sending);
    if (earlier === undefined || isReplay(earlier, sending)) continue;
    const code = answers.get(earlier.send)?.code;
    if (code === undefined || !refusals.has(code)) {
      violations.push({ rule, at, what: `${token} was sent again, after an answer of ${code ?? "unknown effect"}` });
    }
  }
  // with the ledger a superseded server may commit, on its own timeline, what was fenced on the new one
  const isAnywhere = !hasLedger(happenings);
  const applied = new Set<string>();
  for (const { at, token, server, isAgain } of all(happenings, "applied")) {
    if (isAgain || (isAnywhere && applied.has(token))) {
      violations.push({ rule, at, what: `${token} was committed again, on ${server}` });
    }
    applied.add(token);
  }
  return violations;
};

/** Both in transactions of the same holder, the first of which was undone: had both committed, a server would have it twice. */
function isReplay(earlier: Of<"sent">, later: Of<"sent">): boolean {
  return earlier.inTransaction && later.inTransaction && earlier.holder === later.holder;
}
