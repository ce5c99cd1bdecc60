import { type StatementFacts, UNREADABLE } from "../facts.ts";

/** The facts of a text that is one or the other, depending on the server: no read, and the worst where the two differ. */
export function eitherOf(one: StatementFacts, other: StatementFacts): StatementFacts {
  if (one === UNREADABLE || other === UNREADABLE) return UNREADABLE;
  const isSame = (fact: keyof StatementFacts): boolean => one[fact] === other[fact];
  const isSameTransaction = isSame("transaction") && isSame("implicitCommit") && isSame("savepoint");
  const { repeatable: _, ...facts } = one;
  return Object.freeze({
    ...facts,
    intent: "write",
    transaction: isSameTransaction ? one.transaction : "mixed",
    session: isSame("session") ? one.session : "pinned",
    transactional: false,
    multiple: one.multiple || other.multiple,
    stream: one.stream || other.stream,
  });
}
