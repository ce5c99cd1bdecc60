import type { StatementOptions } from "@mirrorpool/core";
import type { Random } from "../random.ts";
import type { Application } from "./application.ts";
import { fateOf } from "./application.ts";

/** How patient a caller is. */
export interface Patience {
  readonly timeoutMs: number | undefined;
  readonly abortAfterMs: number | undefined;
}

export function drawPatience(random: Random): Patience {
  return {
    timeoutMs: random.weighted([
      [4, undefined],
      [2, random.integer(1, 60)],
      [3, random.integer(200, 2500)],
    ]),
    abortAfterMs: random.chance(0.12) ? random.between(0, 120) : undefined,
  };
}

export const patient: Patience = { timeoutMs: 4000, abortAfterMs: undefined };

/** The options that a patience comes to; absent ones are left out. */
export function timeoutOf({ timeoutMs }: Patience): { readonly timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs };
}

/** A statement may take long, whatever it is. @param share of those that do */
export function drawDuration(random: Random, share = 0.1): string {
  return random.chance(share) ? ` FOR ${random.integer(5, 120)}` : "";
}

/** One read outside a transaction. */
export async function read(app: Application, random: Random, patience: Patience, mustSucceed = false): Promise<void> {
  const { pool, setting } = app.stage;
  const consistency = mustSucceed ? undefined : random.pick([undefined, undefined, "strong", "eventual"] as const);
  const verb = random.weighted([
    [9, "READ"],
    [1, "LOCKREAD"],
    [mustSucceed ? 0 : 0.2, "CRASH"],
  ]);
  const text = `${verb}${mustSucceed ? "" : drawDuration(random, setting.longReads)}`;
  const kind = consistency === "eventual" ? "read-eventual" : "read";
  const limitMs = patience.timeoutMs ?? setting.statementMs;
  await app.call({ ...patience, kind, text, limitMs, mustSucceed }, (call, options) => {
    const all: StatementOptions = { ...options, ...timeoutOf(patience), ...(consistency && { consistency }) };
    return pool.query({ text, call }, undefined, all);
  });
}

/** One write outside a transaction. */
export async function write(app: Application, random: Random, patience: Patience, mustSucceed = false): Promise<void> {
  const { pool, setting } = app.stage;
  const token = app.newToken();
  const verb = random.chance(0.15) ? "BATCH" : "WRITE";
  const text = `${verb} ${token}${mustSucceed ? "" : drawDuration(random)}`;
  const limitMs = patience.timeoutMs ?? setting.statementMs;
  let id = 0;
  const outcome = await app.call({ ...patience, kind: "write", text, limitMs, mustSucceed }, (call, options) => {
    id = call;
    return pool.query({ text, call }, undefined, { ...options, ...timeoutOf(patience) });
  });
  app.claim(token, [token], fateOf(outcome), id);
}
