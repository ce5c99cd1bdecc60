import { OptionsError } from "@mirrorpool/core";
import mysql from "mysql2";

const INT = 2 ** 31;
const BIGINT = 2n ** 63n;

/**
 * Integers as what they are, just as the library `mariadb` sends them. By itself `mysql2` sends numbers as `DOUBLE` and large ones as text,
 * and what the server computes with either is no longer exact: `BIGINT + '1'` is a `DOUBLE`.
 */
export function toTypedValue(value: unknown): unknown {
  if (typeof value === "bigint") {
    const isSigned = value >= -BIGINT && value < BIGINT;
    return isSigned ? mysql.TypedParameter.LONGLONG(value) : mysql.TypedParameter.NEWDECIMAL(String(value));
  }
  if (typeof value !== "number" || !Number.isSafeInteger(value)) return value;
  return value >= -INT && value < INT ? mysql.TypedParameter.LONG(value) : mysql.TypedParameter.LONGLONG(value);
}

/** @throws {OptionsError} where `mysql2` is too old to be told the types of values */
export function needTypedValues(): void {
  if (mysql.TypedParameter === undefined) throw new OptionsError("mysql2", "version 3.24 or later", "an older one");
}
