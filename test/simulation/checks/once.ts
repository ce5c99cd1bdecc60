import { refusals } from "../driver/codes.ts";
import type { Check, Violation } from "./check.ts";
import { all, tokenOf } from "./check.ts";

/** No write is sent again unless the first one was refused before any effect, and none is committed twice. */
export const noWriteRunsTwice: Check = (happenings) => {
  const violations: Violation[] = [];
  const rule = "no write runs twice";
  const answers = new Map(all(happenings, "answered").map((answer) => [answer.send, answer]));
  const sent = new Map<string, number>();
  for (const { at, send, text } of all(happenings, "sent")) {
    const token = tokenOf(text);
    if (token === undefined) continue;
    const earlier = sent.get(token);
    sent.set(token, send);
    if (earlier === undefined) continue;
    const code = answers.get(earlier)?.code;
    if (code === undefined || !refusals.has(code)) {
      violations.push({ rule, at, what: `${token} was sent again, after an answer of ${code ?? "unknown effect"}` });
    }
  }
  const applied = new Set<string>();
  for (const { at, token, server } of all(happenings, "applied")) {
    if (applied.has(token)) violations.push({ rule, at, what: `${token} was committed again, on ${server}` });
    applied.add(token);
  }
  return violations;
};
