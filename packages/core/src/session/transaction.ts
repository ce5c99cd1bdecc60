import type { CallOptions } from "../call.ts";
import { checkKeys, isObject, showValue } from "../config/rules.ts";
import type { Result, Statement, TransactionMode } from "../driver.ts";
import { OptionsError, ReplayMismatchError, TransactionAbortedError, TransactionLostError } from "../errors.ts";
import { either } from "../interruption.ts";
import { jittered } from "../jittered.ts";
import type { SessionContext } from "./context.ts";
import type { StatementOptions } from "./demand.ts";
import { Session } from "./session.ts";
import { toComplete, toStatement } from "./statement.ts";

/** What the callback of a transaction works with. */
export interface Transaction {
  query<Row = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<Result<Row>>;
}

export interface TransactionOptions extends TransactionMode, CallOptions {
  /**
   * How often the callback may be run again from its start when the transaction certainly did not commit because its node
   * was lost. The callback must then have no effects outside the database. 0 to 100, default 0.
   */
  readonly retries?: number;
}

const OPTIONS = ["isolation", "readOnly", "deferrable", "retries", "timeoutMs", "signal"];
const LEVELS: readonly unknown[] = ["read uncommitted", "read committed", "repeatable read", "serializable"];
const MAX_RETRIES = 100;
const RETRY_DELAY_MS = 20;

/** BEGIN, the callback, COMMIT; ROLLBACK and the callback's error when it throws. */
export async function transaction<T>(
  context: SessionContext,
  callback: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const { retries = 0 } = checkOptions(callback, options);
  const whole = context.createCall(options.timeoutMs, options.signal);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await once(context, callback, options, () => remaining(context, options, whole.deadline));
    } catch (error) {
      if (!isRetryable(error) || attempt >= retries || whole.isOver) throw error;
      await whole.pause(jittered(RETRY_DELAY_MS, 0.5, context.environment.random()));
    }
  }
}

/** A mistyped level of isolation would be a weaker one, and nobody would know. @throws {OptionsError} */
function checkOptions(callback: unknown, options: TransactionOptions): TransactionOptions {
  if (typeof callback !== "function") throw new OptionsError("callback", "a function", showValue(callback));
  const given: unknown = options;
  if (!isObject(given)) throw new OptionsError("options", "an object", showValue(given));
  checkKeys("", given, OPTIONS);
  const { retries = 0, isolation, readOnly, deferrable } = options;
  if (!Number.isInteger(retries) || retries < 0 || retries > MAX_RETRIES) {
    throw new OptionsError("retries", `a whole number from 0 to ${MAX_RETRIES}`, showValue(retries));
  }
  if (isolation !== undefined && !LEVELS.includes(isolation)) {
    const levels = LEVELS.map((each) => JSON.stringify(each)).join(", ");
    throw new OptionsError("isolation", `one of ${levels}`, showValue(isolation));
  }
  for (const [name, value] of Object.entries({ readOnly, deferrable })) {
    if (value !== undefined && typeof value !== "boolean")
      throw new OptionsError(name, "true or false", showValue(value));
  }
  return options;
}

/** It certainly did not commit, and why is no fault of its own. */
function isRetryable(error: unknown): boolean {
  return error instanceof TransactionLostError || error instanceof ReplayMismatchError;
}

/** What is left of the transaction's own time, where it has one; each statement has its own limit besides. */
function remaining(context: SessionContext, options: TransactionOptions, deadline: number): number | undefined {
  return options.timeoutMs === undefined ? undefined : Math.max(0, deadline - context.environment.now());
}

async function once<T>(
  context: SessionContext,
  callback: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions,
  timeLeft: () => number | undefined,
): Promise<T> {
  const { transactions } = context.driver;
  const session = new Session(context);
  const send = (statement: Statement, own: StatementOptions): Promise<Result> => {
    const limits = [own.timeoutMs, timeLeft()].filter((each) => each !== undefined);
    const timeoutMs = limits.length === 0 ? undefined : Math.min(...limits);
    return session.query(statement, own, context.createCall(timeoutMs, either(own.signal, options.signal)));
  };
  const handle: Transaction = {
    query: <Row>(statement: string | Statement, values?: readonly unknown[], own: StatementOptions = {}) =>
      send(toComplete(context.driver, statement, values), own) as Promise<Result<Row>>,
  };
  let isEnding = false;
  try {
    await send(toStatement(transactions.begin(options), undefined), {});
    const value = await callback(handle);
    isEnding = true;
    const result = await send({ text: transactions.commit }, {});
    if (result.command === "ROLLBACK") throw new TransactionAbortedError();
    return value;
  } catch (error) {
    // the callback may have wrapped or replaced the error that ended its transaction
    if (session.lost !== undefined) throw session.lost;
    if (session.isInTransaction && !isEnding) await send({ text: transactions.rollback }, {}).catch(() => {}); // release() ends it anyway
    throw error;
  } finally {
    session.release();
  }
}
