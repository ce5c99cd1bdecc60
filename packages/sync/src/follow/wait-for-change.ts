import { setTimeout as sleep } from "node:timers/promises";
import type { ChangeStream, SourceChange } from "./change-source.ts";

/** An idle source is told now and then how far the target is. */
const IDLE_MS = 10_000;

/** The next change. @param onIdle called now and then while none comes */
export async function waitForChange(stream: ChangeStream, onIdle: () => Promise<void>): Promise<SourceChange> {
  if (!stream.isEmpty) return stream.take();
  const taking = stream.take();
  taking.catch(() => {}); // it may be lost while an idle source is noted
  for (;;) {
    const idle = new AbortController();
    const rest = sleep(IDLE_MS, undefined, { signal: idle.signal }).catch(() => undefined);
    try {
      const first = await Promise.race([taking, rest]);
      if (first !== undefined) return first;
    } finally {
      idle.abort();
    }
    await onIdle();
  }
}
