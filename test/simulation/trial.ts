import type { Violation } from "./checks/check.ts";
import { judge } from "./checks/checks.ts";
import { formatTrace, type Recorded } from "./history.ts";
import { simulate } from "./simulate.ts";

/** What came of one seed. */
export interface Trial {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** Everything that happened, line by line. Made when it is asked for. */
  trace(): string;
  /** Names of what was met: kinds of happenings, events and their reasons, error codes. */
  outline(): ReadonlySet<string>;
}

/** Simulates one seed and holds all rules against its history. */
export async function tryOut(seed: number): Promise<Trial> {
  const happenings = await simulate(seed);
  return {
    seed,
    violations: judge(happenings),
    trace: () => formatTrace(happenings),
    outline: () => outlineOf(happenings),
  };
}

function outlineOf(happenings: readonly Recorded[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const happening of happenings) {
    names.add(happening.type);
    if (happening.type === "final" && happening.hedged > 0) names.add("hedged");
    if (happening.type === "final" && happening.hedgesWon > 0) names.add("hedge-won");
    if (happening.type === "end" && happening.error?.code !== undefined) names.add(happening.error.code);
    if (happening.type !== "event") continue;
    names.add(happening.name);
    if ("reason" in happening.data) names.add(String(happening.data.reason));
  }
  return names;
}

/** Tries `count` seeds from `first` on; ends with the first one that breaks a rule, undefined when there is none. */
export async function findFailure(
  first: number,
  count: number,
  onProgress: (done: number) => void = () => {},
): Promise<Trial | undefined> {
  for (let done = 0; done < count; done += 1) {
    const trial = await tryOut(first + done);
    if (trial.violations.length > 0) return trial;
    onProgress(done + 1);
  }
  return undefined;
}

/** What went wrong, with what is needed to see it again. */
export function formatFailure({ seed, violations, trace }: Trial): string {
  const lines = violations.map(({ rule, at, what }) => `  ${at.toFixed(3)} ms: ${rule}: ${what}`);
  return [
    `seed ${seed} breaks ${violations.length} times:`,
    ...lines,
    `replay: npm run simulate -- --seed ${seed}`,
    trace(),
  ].join("\n");
}
