import type { Random } from "../random.ts";
import type { Application } from "./application.ts";
import { pauseAndResume, switchOver } from "./control.ts";
import { session } from "./session.ts";
import { drawPatience, patient, read, write } from "./single.ts";
import { transaction } from "./transaction.ts";

/** All callers of one simulation, until the last one is done. */
export async function runCallers(app: Application): Promise<void> {
  const { random, setting } = app.stage;
  await Promise.all(Array.from({ length: setting.callers }, () => runCaller(app, random.fork())));
}

/** One caller: a call after the other, with some time to think. */
async function runCaller(app: Application, random: Random): Promise<void> {
  const { clock, setting } = app.stage;
  await clock.sleep(random.between(0, 300));
  for (let index = 0; index < setting.callsEach; index += 1) {
    const patience = drawPatience(random);
    await random.weighted<() => Promise<void>>([
      [6, () => read(app, random, patience)],
      [6, () => write(app, random, patience)],
      [5, () => transaction(app, random, patience)],
      [3, () => session(app, random, patience)],
      [0.3, () => pauseAndResume(app, random)],
      [0.5, () => switchOver(app, random)],
    ])();
    await clock.sleep(random.between(0, 200));
  }
}

/** What has to work once all troubles are over. */
export async function runLastCalls(app: Application): Promise<void> {
  const random = app.stage.random.fork();
  await Promise.all([
    write(app, random, patient, true),
    read(app, random, patient, true),
    transaction(app, random, patient, true),
  ]);
  await read(app, random, patient, true);
}
