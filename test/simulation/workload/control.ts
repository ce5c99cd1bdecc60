import type { Random } from "../random.ts";
import type { Application } from "./application.ts";

/** Holds all work for a while. */
export async function pauseAndResume(app: Application, random: Random): Promise<void> {
  const { pool, clock } = app.stage;
  const timeoutMs = random.integer(10, 500);
  await app.call({ kind: "control", text: "pause", limitMs: timeoutMs }, () => pool.pause({ timeoutMs }));
  await clock.sleep(random.between(0, 200));
  pool.resume();
}

/** A planned hand-over through the pool; the hook may fail, hang, or do it late. */
export async function switchOver(app: Application, random: Random): Promise<void> {
  const { pool, clock, world } = app.stage;
  const to = random.pick(world.mirrors)?.id;
  if (to === undefined) return;
  const timeoutMs = random.integer(50, 1500);
  const mood = random.weighted<"works" | "fails" | "hangs" | "is-late">([
    [7, "works"],
    [1, "fails"],
    [1, "hangs"],
    [1, "is-late"],
  ]);
  const promote = async ({ from }: { readonly from: string | undefined }): Promise<void> => {
    if (mood === "fails") throw new Error("the orchestrator says no");
    if (mood === "hangs") return new Promise(() => {});
    await clock.sleep(random.between(0, mood === "is-late" ? 2000 : 50));
    const old = from === undefined ? undefined : world.members.find(({ id }) => id === from);
    const next = world.members.find(({ id }) => id === to);
    if (next === undefined || next === old) return;
    if (old?.isRunning === true) old.crash(true);
    clock.schedule(5, "server", () => {
      world.promote(next);
      if (next.role === "primary") for (const each of world.members) world.follow(each, next);
    });
  };
  await app.call({ kind: "control", text: `switchover to ${to}, the hook ${mood}`, limitMs: timeoutMs }, () =>
    pool.switchover({ to, promote, timeoutMs }),
  );
}
