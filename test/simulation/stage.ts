import type { FailoverPool } from "@mirrorpool/core";
import type { HeldClock } from "./clock.ts";
import type { SimulatedConnection } from "./driver/connection.ts";
import type { History } from "./history.ts";
import type { Random } from "./random.ts";
import type { Setting } from "./setting.ts";
import type { World } from "./world/world.ts";

/** Everything that takes part in one simulation. */
export interface Stage {
  readonly setting: Setting;
  readonly clock: HeldClock;
  readonly history: History;
  readonly random: Random;
  readonly world: World;
  readonly pool: FailoverPool;
  /** The client's open connections. */
  readonly connections: ReadonlySet<SimulatedConnection>;
}
