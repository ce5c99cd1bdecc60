import { createInterface } from "node:readline";
import type { LabCluster } from "../cluster/cluster.ts";
import { describeNodes, QUIT, runLine } from "./commands.ts";

/** Shows answers: for people, or as one JSON value a line for programs. */
interface Reporter {
  readonly prompt: string;
  show(line: string, answer: unknown, ms: number): void;
  fail(line: string, error: unknown): void;
}

/** Serves the cluster's prompt on standard input, until `quit`, Ctrl-D, or the end of the process by a signal. */
export async function servePrompt(cluster: LabCluster, isJson: boolean): Promise<void> {
  const isTerminal = process.stdin.isTTY === true;
  const reporter = isJson ? jsonReporter : isTerminal ? { ...textReporter, prompt: "lab> " } : textReporter;
  reporter.show("status", await describeNodes(cluster), 0);
  if (!isJson) write(`DATABASE_URLS=${cluster.urls.join(",")}\ntype help for what can be done\n`);
  const input = createInterface({ input: process.stdin, terminal: isTerminal, prompt: reporter.prompt });
  if (isTerminal) input.setPrompt(reporter.prompt);
  // a terminal in raw mode hands Ctrl-C to us instead of sending the signal
  input.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  // the cluster does not keep a process from ending, and standard input may be /dev/null
  const keepAlive = setInterval(() => {}, 2 ** 30);
  try {
    if (isTerminal) write(reporter.prompt);
    for await (const line of input) {
      if (line.trim() === QUIT) return;
      if (line.trim() !== "") await answer(cluster, line.trim(), reporter);
      if (isTerminal) write(reporter.prompt);
    }
    // the end of a file is no wish to end: a service may have no input
    if (!isTerminal) await new Promise<never>(() => {});
  } finally {
    clearInterval(keepAlive);
    input.close();
  }
}

async function answer(cluster: LabCluster, line: string, reporter: Reporter): Promise<void> {
  const start = performance.now();
  try {
    reporter.show(line, await runLine(cluster, line), performance.now() - start);
  } catch (error) {
    reporter.fail(line, error);
  }
}

const textReporter: Reporter = {
  prompt: "",
  show(_, answer, ms) {
    if (typeof answer === "string") write(`${answer}\n`);
    else if (Array.isArray(answer)) write(formatTable(answer));
    else write(`done in ${ms.toFixed(0)} ms\n`);
  },
  fail: (_, error) => write(`${error instanceof Error ? error.message : String(error)}\n`),
};

const jsonReporter: Reporter = {
  prompt: "",
  show: (command, answer, ms) => write(`${JSON.stringify({ command, ms: Math.round(ms), answer })}\n`),
  fail: (command, error) =>
    write(`${JSON.stringify({ command, error: error instanceof Error ? error.message : String(error) })}\n`),
};

function formatTable(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? "")))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function write(text: string): void {
  process.stdout.write(text);
}
