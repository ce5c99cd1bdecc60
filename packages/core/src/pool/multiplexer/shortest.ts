/** How quickly what was short once is believed to have become longer. */
const DRIFT = 0.1;

/**
 * The shortest of the times that were seen, which drifts upwards slowly: what is longer than that was mostly the machine's, or that of
 * others before it. Pure.
 */
export function shortest(known: number | undefined, ms: number): number {
  if (known === undefined || ms < known) return ms;
  return known + (ms - known) * DRIFT;
}
