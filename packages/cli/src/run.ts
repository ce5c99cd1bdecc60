import { JobError } from "@mirrorpool/sync";
import { CommanderError } from "commander";
import { Context } from "./context.ts";
import { codeOf, type ExitCode, exitCodeOf, exitCodes } from "./errors.ts";
import { Output, type Streams } from "./output/output.ts";
import { createProgram } from "./program.ts";

/** What surrounds a call of the command. */
export interface Surroundings extends Streams {
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const RESUMABLE = new Set(["copy", "backup", "restore"]);

/** Runs one command. @returns the exit code */
export async function runCommand({
  args,
  folder,
  environment,
  signal,
  stdout,
  stderr,
}: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done;
  const output = new Output({ stdout, stderr }, args.includes("--json"));
  const program = createProgram(async (options, work) => {
    const context = new Context({ folder, environment, signal, output }, options);
    try {
      await work(context);
      exitCode = context.exitCode;
    } catch (error) {
      exitCode = signal.aborted ? exitCodes.interrupted : exitCodeOf(error);
      const [name = ""] = args.filter((each) => !each.startsWith("-"));
      const isResumable = error instanceof JobError && error.resumable;
      const mayGoOn = exitCode === exitCodes.interrupted || isResumable || codeOf(error) === "TARGET_LOST";
      output.error(error, mayGoOn && RESUMABLE.has(name) ? "The same command goes on where it has ended." : undefined);
    } finally {
      output.end();
    }
  });
  // for itself and for each command
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    });
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage; // commander has said why
  }
  return exitCode;
}
