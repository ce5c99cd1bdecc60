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

/**
 * Begins a transfer, and resolves when it is about to send the step, after `harm`. The step is sent after that, so that the
 * fault certainly hits it.
 */
export function harmBefore({ operations, random }: Scene, step: Step, harm: () => Promise<unknown>): Promise<Victim> {
  return new Promise((resolve, reject) => {
    let hasEnded = false;
    const victim: Victim = {
      hasEnded: () => hasEnded,
      ended: operations.transferByHand(random, async (next) => {
        if (next === step) await harm().then(() => resolve(victim), reject);
      }),
    };
    void victim.ended.then(() => {
      hasEnded = true;
      resolve(victim); // it may fail before that step, where the fault before this one still has its effect
    });
  });
}
