import { inspect } from "node:util";
import { expect } from "vitest";
import { errorCodes } from "./error-codes.ts";

/** Fails, and shows the whole error, unless it or what it was made from has the code. */
export function expectCode(error: unknown, code: string): void {
  expect(errorCodes(error), inspect(error, { depth: 4 })).toContain(code);
}
