import type { LabCluster } from "@mirrorpool/lab";
import type { History } from "./history.ts";

const STEP_MS = 500;
const BAR_CELLS = 24;

export interface Timeline {
  mark(what: string): void;
  stop(): void;
}

/** Prints throughput, errors and roles, a line every half second; on a terminal the last line is kept up to date. */
export function startTimeline(history: History, cluster: LabCluster, print: (text: string) => void): Timeline {
  const marks: string[] = [];
  let isStopped = false;
  let peak = 1;
  let lastAt = history.now();
  const tick = (): void => {
    const now = history.now();
    const ended = history.operations.filter((each) => each.endedAt !== undefined && each.endedAt > lastAt);
    const done = ended.filter((each) => each.outcome === "ok").length;
    const errors = ended.length - done;
    const waiting = history.operations.filter((each) => each.endedAt === undefined).length;
    const rate = Math.round((done / (now - lastAt)) * 1000);
    peak = Math.max(peak, rate);
    lastAt = now;
    const bar = "█".repeat(Math.round((rate / peak) * BAR_CELLS)).padEnd(BAR_CELLS, "·");
    const note = marks.length === 0 ? "" : `  ◄ ${marks.splice(0).join(", ")}`;
    const time = `${(now / 1000).toFixed(1)} s`.padStart(7);
    print(
      `${time} ${bar} ${String(rate).padStart(5)}/s ${String(errors).padStart(4)} errors ${String(waiting).padStart(3)} waiting  ${roles(cluster)}${note}`,
    );
  };
  const timer = setInterval(tick, STEP_MS);
  return {
    mark: (what) => void marks.push(what),
    stop() {
      if (isStopped) return;
      isStopped = true;
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
