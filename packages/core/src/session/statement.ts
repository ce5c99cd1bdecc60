import { showValue } from "../config/rules.ts";
import type { Statement } from "../driver.ts";
import { OptionsError } from "../errors.ts";

/** What callers pass, as the one form that drivers get. @throws {OptionsError} when it is neither text nor a statement */
export function toStatement(statement: string | Statement, values: readonly unknown[] | undefined): Statement {
  if (typeof statement === "string") return values === undefined ? { text: statement } : { text: statement, values };
  if (typeof statement?.text !== "string") {
    throw new OptionsError("statement", "SQL text or an object with `text`", showValue(statement));
  }
  return values === undefined ? statement : { ...statement, values };
}
