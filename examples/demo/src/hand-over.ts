import type { Application } from "./application.ts";

/**
 * A planned hand-over: each mirrorpool holds its writes, then `promote` is called once, and they let them go when they have
 * seen it. Plain `pg` knows of no such thing.
 */
export async function handOver(
  applications: readonly Application[],
  to: string,
  promote: () => Promise<void>,
): Promise<void> {
  const steps = applications.reduce(
    (inner, { pool }) => (pool === undefined ? inner : () => pool.switchover({ to, promote: inner })),
    promote,
  );
  await steps();
}
