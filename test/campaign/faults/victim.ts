import { setTimeout as pause } from "node:timers/promises";
import type { Operation } from "../history.ts";
import type { Step } from "../workload/transfer.ts";
import type { Scene } from "./fault.ts";

/** A transfer in the middle of which a fault is played. */
export interface Victim {
  /** When the transfer has ended; never rejects. */
  readonly ended: Promise<Operation>;
  /** Whether it has ended already. */
  hasEnded(): boolean;
}

/** How long a step is held back for a harm that may itself be waiting for the transaction. */
const MOMENT_MS = 100;

/**
 * Begins a transfer, and resolves when it is about to send the step, after `harm`. The step is sent after that, so that the
 * fault certainly hits it; where the harm would wait for the end of the transaction, while it is under way.
 */
export function harmBefore(
  { operations, random, system }: Scene,
  step: Step,
  harm: () => Promise<unknown>,
): Promise<Victim> {
  return new Promise((resolve, reject) => {
    let hasEnded = false;
    let harmed: Promise<unknown> | undefined;
    const victim: Victim = {
      hasEnded: () => hasEnded,
      ended: operations.transferByHand(random, async (next) => {
        if (next !== step) return;
        harmed = harm();
        const isDone = harmed.then(() => resolve(victim), reject);
        await (system.hasTimelines ? isDone : Promise.race([isDone, pause(MOMENT_MS)]));
      }),
    };
    void victim.ended.then(() => {
      hasEnded = true;
      // it may fail before that step, where the fault before this one still has its effect
      if (harmed === undefined) resolve(victim);
    });
  });
}
