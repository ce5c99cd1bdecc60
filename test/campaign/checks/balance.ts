import type { Check, Violation } from "./check.ts";

/** No money comes or goes, and each account has what its journal says: no transfer has half an effect. */
export const balanceIsKept: Check = ({ final, openingBalance }) => {
  const violations: Violation[] = [];
  const expected = new Map([...final.balances.keys()].map((id) => [id, openingBalance]));
  const add = (id: number, amount: number) => void expected.set(id, (expected.get(id) ?? Number.NaN) + amount);
  for (const { debited, credited, amount } of final.journal) {
    add(debited, -amount);
    add(credited, amount);
  }
  for (const [id, balance] of final.balances) {
    if (balance === expected.get(id)) continue;
    const what = `account ${id} has ${balance}, and by the journal ${expected.get(id)}`;
    violations.push({ rule: "balance", what });
  }
  const sum = [...final.balances.values()].reduce((total, balance) => total + balance, 0);
  const opening = openingBalance * final.balances.size;
  if (sum !== opening) violations.push({ rule: "balance", what: `all accounts have ${sum}, and had ${opening}` });
  return violations;
};
