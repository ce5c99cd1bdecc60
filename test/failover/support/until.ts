import { setTimeout as sleep } from "node:timers/promises";

/** The pause between two questions: what takes long is asked for less often, since each question may cost a login. */
const pauseMs = (waitedMs: number): number => Math.min(5 + waitedMs / 10, 50);

/** Asks again and again until the answer is neither `undefined` nor `false`, and returns it. Fails after `timeoutMs`. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs: number = 20_000,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs >= timeoutMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(pauseMs(waitedMs));
  }
}
