import type { Application } from "./application.ts";

/**
 * A planned hand-over: each mirrorpool holds its writes; when all do, `promote` is called once, and they let them go when they
 * have seen it. Plain `pg` knows of no such thing.
 */
export async function handOver(
  applications: readonly Application[],
  to: string,
  promote: () => Promise<void>,
): Promise<void> {
  const pools = applications.flatMap(({ pool }) => pool ?? []);
  if (pools.length === 0) return promote();
  let awaited = pools.length;
  let begin = (): void => {};
  const promoted = new Promise<void>((resolve) => {
    begin = resolve;
  }).then(promote);
  const isHeld = (): Promise<void> => {
    awaited -= 1;
    if (awaited === 0) begin();
    return promoted;
  };
  await Promise.all(pools.map((pool) => pool.switchover({ to, promote: isHeld })));
}
