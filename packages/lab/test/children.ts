import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { until } from "../src/wait.ts";

/** A program that a test runs beside itself. */
export interface Child {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Waits until it has written this. */
  says(text: string): Promise<void>;
}

/** Runs a TypeScript file of this package with this Node. */
export function runChild(
  file: string,
  args: readonly string[],
  options: { readonly uid?: number; readonly gid?: number; readonly env?: NodeJS.ProcessEnv } = {},
): Child {
  const path = new URL(file, import.meta.url).pathname;
  const child = spawn(process.execPath, ["--conditions=mirrorpool-source", path, ...args], {
    cwd: "/",
    stdio: ["pipe", "pipe", "pipe"],
    ...options,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    process: child,
    output: () => output,
    ended,
    async says(text) {
      await until(
        `the child to say "${text}"`,
        () => {
          if (output.includes(text)) return true;
          if (child.exitCode === null && child.signalCode === null) return false;
          throw new Error(`the child ended without "${text}": ${output}`);
        },
        { explain: () => `; it said: ${output}` },
      );
    },
  };
}
