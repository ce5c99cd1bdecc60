import { showValue } from "../config/rules.ts";
import type { Driver, Statement } from "../driver.ts";
import { OptionsError } from "../errors.ts";

/** What callers pass, as the one form that drivers get. @throws {OptionsError} when it is neither text nor a statement */
export function toStatement(statement: string | Statement, values: readonly unknown[] | undefined): Statement {
  if (typeof statement === "string") return values === undefined ? { text: statement } : { text: statement, values };
  if (typeof statement?.text !== "string") {
    throw new OptionsError("statement", "SQL text or an object with `text`", showValue(statement));
  }
  return values === undefined ? statement : { ...statement, values };
}

/** The same as it is judged and run. @throws what `toStatement` throws, and what the driver makes of values that it cannot write */
export function toComplete(
  { complete }: Pick<Driver, "complete">,
  statement: string | Statement,
  values: readonly unknown[] | undefined,
): Statement {
  const given = toStatement(statement, values);
  return complete === undefined ? given : complete(given);
}
