import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import { JobError } from "../errors.ts";
import type { ChangeSource } from "./change-source.ts";
import type { FollowStats } from "./stats.ts";

const LOOK_MS = 20;

/** What of a follower tells whether it has caught up, at this moment. */
export interface Catching {
  readonly state: FollowStats["state"];
  /** Everything of the source up to here is on the target. */
  readonly through: string | undefined;
  readonly ended: Promise<void>;
  /** Has the source tell where it is. */
  readonly ask: () => void;
}

/** Resolves when the target has everything that the source had when it was asked. */
export async function catchUp(
  look: () => Catching,
  source: ChangeSource,
  from: FailoverPool,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
): Promise<void> {
  const given = options.timeoutMs === undefined ? [] : [AbortSignal.timeout(options.timeoutMs)];
  const signal = AbortSignal.any([...given, ...(options.signal ? [options.signal] : [])]);
  for (;;) {
    const { epoch } = from.topology();
    const goal = await source.readEnd(signal);
    // positions of a former primary say nothing of the present one
    while (from.topology().epoch === epoch) {
      const { state, through, ended, ask } = look();
      if (state === "stopped" || state === "failed") {
        await ended;
        throw new JobError("FOLLOW_FAILED", "following was stopped before it had caught up");
      }
      if (state === "streaming" && through !== undefined && source.reaches(through, goal)) return;
      ask();
      await sleep(LOOK_MS, undefined, { signal });
    }
  }
}
