import type { Result, Transaction, TransactionOptions } from "@mirrorpool/core";
import type { Random } from "../random.ts";
import type { Application } from "./application.ts";
import { fateOf } from "./application.ts";
import type { Patience } from "./single.ts";
import { drawDuration, timeoutOf } from "./single.ts";

/** What the callback does, drawn once: a transaction that is run again does the same. */
type Step = "write" | "read" | "lock" | "fail" | "fail-and-go-on" | "deadlock" | "think" | "throw";

function drawSteps(random: Random): Step[] {
  return Array.from({ length: random.integer(1, 4) }, () =>
    random.weighted<Step>([
      [8, "write"],
      [4, "read"],
      [2, "lock"],
      [0.4, "fail"],
      [0.4, "fail-and-go-on"],
      [0.3, "deadlock"],
      [3, "think"],
      [0.3, "throw"],
    ]),
  );
}

/** One transaction by `pool.transaction`, with a callback that may fail in its own ways. */
export async function transaction(
  app: Application,
  random: Random,
  patience: Patience,
  mustSucceed = false,
): Promise<void> {
  const { pool } = app.stage;
  const { timeoutMs, abortAfterMs } = patience;
  const isReadOnly = !mustSucceed && random.chance(0.1);
  const steps: readonly Step[] = mustSucceed ? ["write", "read", "write"] : drawSteps(random);
  const options: TransactionOptions = {
    ...timeoutOf(patience),
    ...(isReadOnly && { readOnly: true }),
    retries: random.pick([0, 0, 1, 3]),
  };
  const unit = app.newHolder();
  let attempts = 0;
  let id = 0;
  let last: Attempt = { holder: unit, tokens: [] };
  const endsAt = timeoutMs === undefined ? undefined : app.stage.clock.now + timeoutMs;
  const kind = isReadOnly ? "control" : "transaction";
  // a callback that thinks ends late by itself
  const limitMs = steps.includes("think") ? undefined : timeoutMs;
  const outcome = await app.call({ kind, text: steps.join(" "), limitMs, abortAfterMs, mustSucceed }, (call, own) => {
    id = call;
    return pool.transaction(
      async (handle) => {
        app.claim(unit, last.tokens, "not-committed", call);
        attempts += 1;
        last = { holder: `${unit}.${attempts}`, tokens: [] };
        const drawDurationOf = mustSucceed ? () => "" : () => drawDuration(random);
        await perform(
          { app, random, handle, parent: call, endsAt, isReadOnly, drawDuration: drawDurationOf },
          last,
          steps,
        );
      },
      { ...options, ...own },
    );
  });
  app.claim(unit, last.tokens, fateOf(outcome), id);
}

interface Attempt {
  readonly holder: string;
  /** Of all writes that were tried. */
  readonly tokens: string[];
}

/** What an attempt works with. */
interface Scene {
  readonly app: Application;
  readonly random: Random;
  readonly handle: Transaction;
  readonly parent: number;
  /** When the whole transaction ends; else each statement has its own time. */
  readonly endsAt: number | undefined;
  readonly isReadOnly: boolean;
  drawDuration(): string;
}

async function perform(scene: Scene, attempt: Attempt, steps: readonly Step[]): Promise<void> {
  const { app, random, handle, parent, endsAt, isReadOnly } = scene;
  const { clock, setting } = app.stage;
  const run = async (text: string, kind: "read" | "write"): Promise<Result | undefined> => {
    const ownTokens = kind === "read" ? [...attempt.tokens] : [];
    const limitMs = endsAt === undefined ? setting.statementMs : Math.max(0, endsAt - clock.now);
    const outcome = await app.call({ kind, text, limitMs, parent, ownTokens }, (call) =>
      handle.query({ text, call, holder: attempt.holder }),
    );
    if (!outcome.ok) throw outcome.error;
    return outcome.value;
  };
  for (const step of steps) {
    switch (step) {
      case "write": {
        const token = app.newToken();
        attempt.tokens.push(token);
        await run(`WRITE ${token}${scene.drawDuration()}`, "write");
        break;
      }
      case "read":
        await run(`READ${scene.drawDuration()}`, isReadOnly ? "write" : "read");
        break;
      case "lock":
        await run(`LOCK ${random.pick(["x", "y"])}`, "write");
        break;
      case "deadlock":
        await run("DEADLOCK", "write");
        break;
      case "fail":
        await run("FAIL", "write");
        break;
      case "fail-and-go-on":
        await run("FAIL", "write").catch(() => {});
        break;
      case "think":
        await clock.sleep(random.between(0, 60));
        break;
      case "throw":
        throw new Error("the callback has changed its mind");
      default:
        step satisfies never;
    }
  }
}
