import { spawn } from "node:child_process";
import { LabError } from "../errors.ts";
import type { Account } from "./account.ts";

/** How the programs are started. */
export interface ProgramOptions {
  readonly cwd: string;
  readonly account: Account | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Fed to its standard input. */
  readonly input?: string | undefined;
}

const { PATH = "/usr/bin:/bin" } = process.env;

/** Only what the programs need: a `PGHOST` or `PGSSLMODE` of the application must not reach them. */
export const PROGRAM_ENV: NodeJS.ProcessEnv = {
  PATH,
  LC_ALL: "C",
  TZ: "UTC",
};

/**
 * Runs a program to its end. @returns what it wrote to its error output
 * @throws LabError `server-failed` with that text when it ends with another code than 0
 */
export function runProgram(file: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: PROGRAM_ENV,
      stdio: ["pipe", "ignore", "pipe"],
      detached: true,
      ...options.account,
      ...(options.signal && { signal: options.signal, killSignal: "SIGKILL" as const }),
    });
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    child.once("error", (cause) => {
      reject(
        options.signal?.aborted
          ? new LabError("aborted", `aborted while ${file} ran`, { cause })
          : new LabError("server-failed", `${file} could not be started: ${cause.message}`, { cause }),
      );
    });
    child.once("close", (code, signal) => {
      if (code === 0) resolve(errors);
      else reject(new LabError("server-failed", `${file} ended with ${code ?? signal}:\n${errors.trim()}`));
    });
  });
}
