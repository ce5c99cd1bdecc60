import type { PoolOptions } from "@mirrorpool/core";
import type { Random } from "./random.ts";
import type { WorldOptions } from "./world/world.ts";

/** What one simulation is about, drawn from its seed. */
export interface Setting {
  readonly world: WorldOptions;
  readonly pool: Omit<PoolOptions, "driver" | "nodes">;
  /** What a call without a deadline of its own gets. */
  readonly statementMs: number;
  readonly callers: number;
  readonly callsEach: number;
  /** The share of the reads that take long. */
  readonly longReads: number;
  readonly faults: number;
  /** How often the way to a server is slow for a moment, besides. */
  readonly slowings: number;
  /** Faults begin within this time, and all troubles end after it. */
  readonly troubledMs: number;
  /** close() comes in the middle of it all. */
  readonly closesEarly: boolean;
}

export function drawSetting(random: Random): Setting {
  const nodes = ["a", "b", "c", "d"].slice(
    0,
    random.weighted([
      [2, 2],
      [6, 3],
      [1, 4],
    ]),
  ); // prettier-ignore
  const statementMs = random.pick([400, 1000, 2500]);
  const max = random.pick([1, 2, 3, 5]);
  const hedge = random.chance(0.06) ? random.pick([0.2, 1]) : 0;
  // which reads are slow is known only after many, and then there have to be troubles still
  const isLong = hedge > 0;
  return {
    world: {
      nodes,
      flavour: random.weighted([
        [6, "timelines"],
        [2, "timelines-of-primaries-only"],
        [2, "transaction-sets"],
      ]),
      latencyMs: random.between(0.1, 3),
      replicationMs: random.pick([1, 5, 30]),
    },
    pool: {
      pool: {
        max,
        min: random.chance(0.2) ? 1 : 0,
        warm: random.integer(0, 2),
        idleMs: random.pick([100, 500, 30_000]),
        lifetimeMs: random.pick([1000, 3_600_000]),
        validateAfterIdleMs: random.pick([0, 50, 10_000]),
        maxWaiting: random.pick([4, 10_000]),
      },
      timeouts: {
        // more than the last transaction takes, which may have the only connection, with the opening of that
        acquireMs: random.pick([150, 300, 10_000]),
        connectMs: random.pick([100, 500]),
        statementMs,
        failoverMs: random.pick([200, 1500, 30_000]),
        mirrorMs: random.pick([300, 5000]),
      },
      monitor: {
        intervalMs: random.pick([60, 150, 250]),
        fastIntervalMs: random.pick([20, 50]),
        probeTimeoutMs: random.pick([40, 120]),
        misses: random.integer(1, 3),
      },
      routing: {
        readFrom: random.chance(0.85) ? "mirrors" : "primary",
        balance: random.pick(["least-busy", "latency"]),
        maxLagMs: random.pick([200, 10_000]),
        splitBrainReads: random.chance(0.2),
        hedge,
      },
      exactlyOnce: random.chance(0.4),
      durability: random.chance(0.2) ? "mirrored" : "primary",
      retryOnConflict: random.pick([0, 0, 2]),
      // off, bounded so that some transactions are too long, or as usual
      replay: { maxStatements: random.pick([0, 3, 1000]) },
      failover: { releaseJitterMs: random.pick([0, 10, 50]), maxWaiting: random.pick([4, 10_000]) },
    },
    statementMs,
    callers: isLong ? 6 : random.integer(2, 5),
    callsEach: isLong ? random.integer(100, 150) : random.integer(4, 10),
    // what many reads take is not slow
    longReads: isLong ? 0.02 : 0.1,
    faults: isLong ? random.integer(2, 8) : random.integer(0, 4),
    slowings: isLong ? 60 : 0,
    troubledMs: isLong ? random.integer(12_000, 20_000) : random.integer(600, 2000),
    closesEarly: random.chance(0.1),
  };
}
