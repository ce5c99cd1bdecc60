import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How a call of the command has ended, and the most memory that its process has ever had. */
export interface Called {
  readonly exitCode: number | null;
  readonly ms: number;
  readonly maxMib: number;
  /** What it has printed as its result. */
  readonly result: Record<string, unknown>;
  readonly errors: readonly string[];
}

/** The command. */
export const MAIN: string = join(import.meta.dirname, "../dist/main.js");
const LOOK_MS = 20;

/**
 * Calls the command as it is published, in a process of its own.
 * @param killAfterMs SIGKILL then, once it has begun to move rows
 * @param onMoving is called once when it has begun to
 */
export async function mirrorpool(
  args: readonly string[],
  {
    folder,
    killAfterMs,
    onMoving,
  }: { readonly folder?: string; readonly killAfterMs?: number; readonly onMoving?: () => void } = {},
): Promise<Called> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [MAIN, ...args, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
    ...(folder !== undefined && { cwd: folder }),
  });
  let result: Record<string, unknown> = {};
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = JSON.parse(line);
    if (said.type === "result") result = said;
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (!line.startsWith('{"type":"progress"')) errors.push(line);
    else if (!isMoving) {
      isMoving = true;
      onMoving?.();
      if (killAfterMs !== undefined) timeout = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    }
  });
  let isMoving = false;
  let timeout: NodeJS.Timeout | undefined;
  let maxMib = 0;
  const timer = setInterval(() => {
    maxMib = Math.max(maxMib, peakOf(child.pid));
  }, LOOK_MS);
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  clearInterval(timer);
  clearTimeout(timeout);
  return { exitCode, ms: performance.now() - startedAt, maxMib, result, errors };
}

/** In MiB, as Linux tells it. */
function peakOf(pid: number | undefined): number {
  try {
    const [, kib = "0"] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Math.round(Number(kib) / 1024);
  } catch {
    return 0; // it is over
  }
}

/** What was found out, line by line. */
export class Report {
  #failed = 0;

  /** A call that has to succeed, or to end with another code. */
  async call(name: string, args: readonly string[], expected: number = 0): Promise<Called> {
    const called = await mirrorpool(args);
    const { exitCode, ms, maxMib, errors } = called;
    console.log(`${name}: ${(ms / 1000).toFixed(1)} s, ${maxMib} MiB, exit code ${exitCode}`);
    this.check(exitCode === expected, `${name} ends with ${expected}${errors.map((line) => `\n  ${line}`).join("")}`);
    this.check(maxMib < MAX_MIB, `${name} takes less than ${MAX_MIB} MiB`);
    return called;
  }

  check(isSo: boolean, what: string): void {
    if (isSo) return;
    this.#failed += 1;
    console.log(`NOT SO: ${what}`);
  }

  end(): void {
    console.log(this.#failed === 0 ? "all is as it has to be" : `${this.#failed} things are not as they have to be`);
    if (this.#failed > 0) process.exitCode = 1;
  }
}

const MAX_MIB = 300;
