import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { notRunning, whereRuns } from "../../failover/support/cluster.ts";
import { rejection } from "../../failover/support/outcome.ts";
import { expectCode } from "../expect-code.ts";
import type { Check } from "../gaps.ts";
import { atRest, type Stage } from "../stage.ts";
import { NotSupported } from "../subject.ts";

/** Resolves when the statement has been given up: rejects when that takes about as long as the statement, or is not supported. */
async function givenUp(promise: Promise<unknown>): Promise<void> {
  const late = sleep(20_000, "late", { ref: false });
  const error = await Promise.race([rejection(promise), late]);
  if (error === "late") throw new Error("the statement was not given up in time");
  if (error instanceof NotSupported) throw error;
}

/** How waiting ends: by the application's own means, by the pool's deadline, or for want of a connection. */
export function limits(stage: Stage, check: Check): void {
  const ended = async (marker: string): Promise<void> => {
    for (const node of stage.cluster.nodes) await notRunning(node, marker);
  };

  describe("limits", () => {
    check("cancel", "what the application gives up is cancelled on the server that runs it", async () => {
      await using scene = await stage.open({ timeouts: { statementMs: 600_000 } });
      const marker = `given_up_${stage.newId()}`;
      const bystander = `bystander_${stage.newId()}`;
      const [, , other] = await Promise.all([
        givenUp(scene.subject.giveUp(`SELECT ${stage.database.sleep(60)} AS ${marker}`, 1000)),
        whereRuns(stage.cluster.nodes, marker),
        scene.subject.raw(`SELECT 1 AS ${bystander}, ${stage.database.sleep(2)} AS slept`),
      ]);
      expect(other[0]?.[bystander]).toBe(1);
      await ended(marker);
      await atRest(scene.pool);
    });

    check("timeout", "the pool's deadline ends a statement, also on its server", async () => {
      await using scene = await stage.open({ timeouts: { statementMs: 2000 } });
      const marker = `too_long_${stage.newId()}`;
      const error = await rejection(scene.subject.raw(`SELECT ${stage.database.sleep(60)} AS ${marker}`));
      expectCode(error, "DEADLINE");
      await ended(marker);
      await atRest(scene.pool);
    });

    check("exhaustion", "when all connections are held the next one waits, and is told in time", async () => {
      await using scene = await stage.open({ pool: { max: 1, warm: 0 }, timeouts: { acquireMs: 1500 } });
      const { subject } = scene;
      const [held, refused, late] = [stage.newId(), stage.newId(), stage.newId()];
      await subject.transaction(async (scope) => {
        await scope.insert({ id: held, item: "holds the connection" });
        const error = await rejection(subject.insert({ id: refused, item: "refused" }));
        expectCode(error, "ACQUIRE_TIMEOUT");
      });
      await subject.insert({ id: late, item: "late" });
      expect((await subject.find(held))?.id).toBe(held);
      expect(await subject.find(refused)).toBeUndefined();
    });
  });
}
