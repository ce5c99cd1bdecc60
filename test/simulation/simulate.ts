import { createPool, poolEventNames } from "@mirrorpool/core";
import { HeldClock, HeldEnvironment } from "./clock.ts";
import { drive } from "./drive.ts";
import type { SimulatedConnection } from "./driver/connection.ts";
import { createSimulatedDriver } from "./driver/driver.ts";
import { scheduleFaults } from "./faults.ts";
import type { Recorded, Stand } from "./history.ts";
import { History } from "./history.ts";
import { Random } from "./random.ts";
import { drawSetting } from "./setting.ts";
import type { Stage } from "./stage.ts";
import { Application } from "./workload/application.ts";
import { runCallers, runLastCalls } from "./workload/callers.ts";
import { World } from "./world/world.ts";

/** The probes find out what became of the cluster, and all backing off ends, within this time. */
const RECOVERY_MS = 3000;
/** What is still under way after close() ends within this time. */
const AFTERMATH_MS = 3000;
/** Far more events than any simulation needs: something runs in circles. */
const MAX_STEPS = 200_000;

/** Runs the pool against a cluster, both from one seed: the same seed gives the same history. */
export async function simulate(seed: number): Promise<readonly Recorded[]> {
  const random = new Random(seed);
  const setting = drawSetting(random);
  const clock = new HeldClock();
  const history = new History(clock);
  history.add({ type: "setting", seed, setting });
  const world = new World(clock, history, random.fork(), setting.world);
  const connections = new Set<SimulatedConnection>();
  const chance = random.fork();
  const environment = new HeldEnvironment(clock, () => chance.next());
  let ids = 0;
  const stand = (): Stand => {
    const { epoch, primary, isWritable, isSplit } = pool.topology();
    return { epoch, primary, isWritable, isSplit };
  };
  const shared = { world, clock, history, random: random.fork(), connections, stand, nextId: () => ++ids };
  const driver = createSimulatedDriver(shared, setting.world.flavour);
  const nodes = setting.world.nodes.map((name) => ({ name, host: name }));
  const pool = createPool({ ...setting.pool, driver, nodes }, environment);
  for (const name of poolEventNames)
    pool.on(name, (data) => history.add({ type: "event", name, data, stand: stand() }));

  await run({ setting, clock, history, random: random.fork(), world, pool, connections });

  history.add({
    type: "final",
    openConnections: [...connections].map(({ id }) => id),
    armedTimers: environment.armedTimers,
    hedged: pool.stats().hedged,
    hedgesWon: pool.stats().hedgesWon,
    tokens: (world.primary?.log ?? []).map(({ token }) => token),
  });
  return history.happenings;
}

/** Lets time pass until the plot is over, and notes what escapes to the process meanwhile. */
async function run(stage: Stage): Promise<void> {
  const { clock, history } = stage;
  const onEscape = (error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error);
    history.add({ type: "broken", what: `an error escaped: ${text}` });
  };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0; // thousands of errors are made on purpose, and nobody reads where
  const { emitWarning } = process;
  process.emitWarning = (warning) => history.add({ type: "warning", what: String(warning) });
  process.on("unhandledRejection", onEscape);
  process.on("uncaughtException", onEscape);
  try {
    let isOver = false;
    const plot = play(stage).finally(() => {
      isOver = true;
    });
    await drive(() => !isOver && clock.steps < MAX_STEPS && clock.step());
    if (isOver) await plot;
    else history.add({ type: "broken", what: `not over after ${clock.steps} events` });
  } finally {
    process.off("unhandledRejection", onEscape);
    process.off("uncaughtException", onEscape);
    process.emitWarning = emitWarning;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The plot of each simulation: troubles, their end, calls that have to work again, and close(). */
async function play(stage: Stage): Promise<void> {
  const { clock, pool, setting, world } = stage;
  const app = new Application(stage);
  scheduleFaults(stage);
  clock.schedule(setting.troubledMs, "server", () => world.settle());
  const callers = runCallers(app);
  if (setting.closesEarly) {
    await clock.sleep(stage.random.between(0, setting.troubledMs));
    await close(app, stage.random.integer(0, 300));
  } else {
    await callers;
    await clock.sleep(Math.max(0, setting.troubledMs - clock.now) + RECOVERY_MS);
    pool.resume();
    await runLastCalls(app);
    await close(app, 500);
  }
  await clock.sleep(AFTERMATH_MS);
}

/** A connection's polite goodbye may take a while after the last work was cut off. */
async function close(app: Application, timeoutMs: number): Promise<void> {
  await app.call({ kind: "control", text: "close", limitMs: timeoutMs }, () => app.stage.pool.close({ timeoutMs }));
}
