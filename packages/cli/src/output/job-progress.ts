import type { Progress } from "@mirrorpool/sync";
import { bytes, count, duration } from "./format.ts";
import type { Output } from "./output.ts";

/** Tells how far a job is. */
export function showProgress(output: Output, progress: Progress): void {
  const { phase, chunks, rows, bytesPerSecond, remainingMs } = progress;
  const left = remainingMs === undefined ? "" : `, ${duration(remainingMs)} left`;
  const share = chunks.total === 0 ? undefined : chunks.done / chunks.total;
  output.progress(progress, share, `${phase}: ${count(rows)} rows, ${bytes(bytesPerSecond)}/s${left}`);
}
