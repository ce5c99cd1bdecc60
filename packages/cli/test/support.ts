import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { onTestFinished } from "vitest";
import { runCommand } from "../src/run.ts";

/** What a call of the command has printed, and how it ended. */
export interface Called {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Calls the command in this process. */
export async function call(
  args: readonly string[],
  options: { readonly folder?: string; readonly environment?: NodeJS.ProcessEnv; readonly signal?: AbortSignal } = {},
): Promise<Called> {
  const [stdout, stderr] = [collector(), collector()];
  const { folder = newFolder(), environment = {}, signal = new AbortController().signal } = options;
  const exitCode = await runCommand({
    args,
    folder,
    environment,
    signal,
    stdout: stdout.stream,
    stderr: stderr.stream,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** The JSON lines of a text. */
export const lines = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mirrorpool-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function collector(): { readonly stream: Writable; readonly text: () => string } {
  const parts: string[] = [];
  const stream = new Writable({
    write(part, _, done) {
      parts.push(String(part));
      done();
    },
  });
  return { stream, text: () => parts.join("") };
}
