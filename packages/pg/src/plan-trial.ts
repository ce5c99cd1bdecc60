/** Runs of either kind that a verdict takes. */
const ENOUGH = 9;
/** As many tell enough where the difference is a plain one. */
const FEW = 4;
const PLAINLY = 10;
/** A plan is slower where a run with it takes so many times as long as one without, and so much longer: less is chance. */
const SLOWER = 2;
const SLOWER_BY_MS = 1;
/** Of all pairs of a run with the plan and one without. Times that vary by themselves (by the values) stay below it. */
const SHARE = 0.75;

/** Times of runs that were made in turn, in ms: prepared, with the plan that the server keeps, and as they are, planned each time. */
export interface Trial {
  readonly prepared: readonly number[];
  readonly plain: readonly number[];
}

/** Whether a statement had better not be prepared; undefined while that is not clear. Pure. */
export function judgePlan({ prepared, plain }: Trial): "slower" | "good" | undefined {
  const runs = Math.min(prepared.length, plain.length);
  if (runs >= FEW && shareOfSlower({ prepared, plain }, PLAINLY) === 1) return "slower";
  if (runs < ENOUGH) return undefined;
  return shareOfSlower({ prepared, plain }, SLOWER) >= SHARE ? "slower" : "good";
}

function shareOfSlower({ prepared, plain }: Trial, factor: number): number {
  let slower = 0;
  for (const one of prepared) {
    for (const other of plain) if (one > other * factor && one > other + SLOWER_BY_MS) slower += 1;
  }
  return slower / (prepared.length * plain.length);
}
