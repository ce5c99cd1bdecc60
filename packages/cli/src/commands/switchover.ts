import { spawn } from "node:child_process";
import type { PromoteRequest } from "@mirrorpool/core";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { duration } from "../output/format.ts";

export interface SwitchoverFlags {
  readonly to: string;
  readonly promote?: string;
}

/**
 * Waits until the mirror has everything, and has it promoted by the configuration's hook or a command of the user's. It holds the
 * writes of its own process only: those of the application go on until the old primary refuses them.
 */
export async function switchover(context: Context, given: string | undefined, flags: SwitchoverFlags): Promise<void> {
  const cluster = await context.cluster(given);
  const { signal, output } = context;
  const { promote: hook } = cluster.config;
  const promote = flags.promote === undefined ? hook : commandHook(flags.promote, context.world.environment);
  if (promote === undefined)
    throw new UsageError("say how the mirror is promoted: --promote COMMAND, or `promote` in the configuration");
  const startedAt = performance.now();
  await context.withPool(cluster, async (pool) => {
    const timeoutMs = context.options.timeout ?? 60_000;
    await pool.start({ timeoutMs, signal });
    const from = pool.topology().primary;
    await pool.switchover({ to: flags.to, promote, timeoutMs, signal });
    const durationMs = Math.round(performance.now() - startedAt);
    output.result(
      { cluster: cluster.name, from, to: flags.to, durationMs },
      () => `${flags.to} is the primary now, ${from} was; ${duration(durationMs)}`,
    );
  });
}

/** Runs it by the shell, with the names of both nodes in its environment. */
function commandHook(command: string, environment: NodeJS.ProcessEnv) {
  return ({ from, to, signal }: PromoteRequest): Promise<void> =>
    new Promise((resolve, reject) => {
      const env = { ...environment, MIRRORPOOL_FROM: from ?? "", MIRRORPOOL_TO: to };
      const child = spawn(command, { shell: true, env, signal, stdio: ["ignore", process.stderr, process.stderr] });
      child.once("error", reject);
      child.once("close", (code, cause) => {
        if (code === 0) resolve();
        else reject(new Error(`the command of --promote ended with ${code ?? cause}`));
      });
    });
}
