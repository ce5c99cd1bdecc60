import type { LabCluster } from "@mirrorpool/lab";
import type { Application } from "./application.ts";

const STEP_MS = 500;
const BAR_CELLS = 24;

export interface Timeline extends Disposable {
  mark(what: string): void;
}

/** Prints the throughput of all clients, who of them saw errors, and roles: a line every half second. */
export function startTimeline(
  applications: readonly Application[],
  cluster: LabCluster,
  clock: () => number,
  print: (text: string) => void,
): Timeline {
  const marks: string[] = [];
  let peak = 1;
  let lastAt = clock();
  const tick = (): void => {
    const now = clock();
    let done = 0;
    let waiting = 0;
    const errors: string[] = [];
    for (const { client, history } of applications) {
      const ended = history.operations.filter((each) => each.endedAt !== undefined && each.endedAt > lastAt);
      const failed = ended.filter((each) => each.outcome !== "ok").length;
      done += ended.length - failed;
      waiting += history.operations.filter((each) => each.endedAt === undefined).length;
      if (failed > 0) errors.push(`${client} ${failed}`);
    }
    const rate = Math.round((done / (now - lastAt)) * 1000);
    peak = Math.max(peak, rate);
    lastAt = now;
    const bar = "█".repeat(Math.round((rate / peak) * BAR_CELLS)).padEnd(BAR_CELLS, "·");
    const note = marks.length === 0 ? "" : `  ◄ ${marks.splice(0).join(", ")}`;
    const trouble = errors.length === 0 ? "" : `  errors: ${errors.join(", ")}`;
    const time = `${(now / 1000).toFixed(1)} s`.padStart(7);
    print(
      `${time} ${bar} ${String(rate).padStart(5)}/s ${String(waiting).padStart(3)} waiting  ${roles(cluster)}${note}${trouble}`,
    );
  };
  const timer = setInterval(tick, STEP_MS);
  return {
    mark: (what) => void marks.push(what),
    [Symbol.dispose]() {
      clearInterval(timer);
      tick();
    },
  };
}

function roles(cluster: LabCluster): string {
  return cluster.nodes
    .map((node) => {
      if (!node.isRunning) return `${node.name} ✗`;
      if (node.isFrozen) return `${node.name} ❄`;
      return node === cluster.primary() ? `${node.name} primary` : node.name;
    })
    .join(" · ");
}
