import type { CallOptions, ErrorCode, FailoverPool, PoolOptions, PoolSession } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { anyMirror, running } from "./cluster.ts";
import { until } from "./until.ts";

/** What a wait is played on. */
export interface Stage {
  readonly cluster: LabCluster;
  readonly pool: FailoverPool;
  /** A session whose transaction is open on the primary. */
  hold(): Promise<PoolSession>;
  /** What has happened so far. */
  readonly signs: Set<string>;
}

/** One place where a call can be made to wait, and how it must end there. */
export interface Wait {
  readonly name: string;
  readonly options?: Partial<PoolOptions>;
  /** The deadline that the call is given; half a second where nothing is said. */
  readonly deadlineMs?: number;
  /** Brings the pool to where the call will have to wait. */
  readonly prepare?: (stage: Stage) => Promise<unknown>;
  readonly begin: (stage: Stage, options: CallOptions) => Promise<unknown>;
  /** Resolves when the call is certainly waiting. */
  readonly reached: (stage: Stage) => Promise<unknown>;
  readonly onAbort: ErrorCode;
  readonly onDeadline: ErrorCode;
  /** Those that a call may end with when the pool is closed. */
  readonly onClose: readonly ErrorCode[];
}

async function losePrimary({ cluster, pool }: Stage): Promise<void> {
  await pool.start();
  await cluster.primary().kill();
  await until("the loss to be seen", () => pool.topology().primary === undefined);
}

const waitsForNode = ({ pool }: Stage) => until("the call to wait for a node", () => pool.stats().waitingForNode > 0);

const waitsForConnection = ({ pool, cluster }: Stage) =>
  until("the call to wait for a connection", () => pool.stats().nodes[cluster.primary().name]?.waiting === 1);

const isHeld = ({ pool }: Stage) => until("new work to be held", () => pool.topology().hold !== "none");

/** Long enough that the call can only end as the test wants it to. */
const LONG = { failoverMs: 60_000, acquireMs: 60_000, statementMs: 60_000 };

/** Every place in the product where a call waits. */
export const waits: readonly Wait[] = [
  {
    name: "a write that waits for a primary",
    prepare: losePrimary,
    begin: ({ pool }, options) => pool.query("INSERT INTO waiting VALUES (1)", [], options),
    reached: waitsForNode,
    onAbort: "ABORTED",
    onDeadline: "NO_PRIMARY",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a read that waits for any node",
    options: { routing: { consistency: "strong" } },
    prepare: losePrimary,
    begin: ({ pool }, options) => pool.query("SELECT 1", [], options),
    reached: waitsForNode,
    onAbort: "ABORTED",
    onDeadline: "NO_NODE",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a transaction that waits for a primary",
    prepare: losePrimary,
    begin: ({ pool }, options) => pool.transaction(async (tx) => void (await tx.query("SELECT 1")), options),
    reached: waitsForNode,
    onAbort: "ABORTED",
    onDeadline: "NO_PRIMARY",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a start that finds no node",
    prepare: ({ cluster }) => Promise.all(cluster.nodes.map(({ proxy }) => proxy.blackHole())),
    begin: ({ pool }, options) => pool.start(options),
    reached: ({ cluster }) =>
      until("the start to be under way", () => cluster.nodes.every(({ proxy }) => proxy.stats.swallowedBytes.up > 0)),
    onAbort: "ABORTED",
    onDeadline: "NO_PRIMARY",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a write that waits for a free connection",
    options: { pool: { max: 1, warm: 0 } },
    prepare: (stage) => stage.hold(),
    begin: ({ pool }, options) => pool.query("INSERT INTO waiting VALUES (1)", [], options),
    reached: waitsForConnection,
    onAbort: "ABORTED",
    onDeadline: "ACQUIRE_TIMEOUT",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a write that waits for a connection to open",
    options: { monitor: { misses: 20, probeTimeoutMs: 60_000 } },
    prepare: async ({ pool, cluster }) => {
      await pool.start();
      await cluster.primary().proxy.stall();
    },
    begin: ({ pool }, options) => pool.query("INSERT INTO waiting VALUES (1)", [], options),
    reached: waitsForConnection,
    onAbort: "ABORTED",
    onDeadline: "ACQUIRE_TIMEOUT",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a write whose idle connection is asked whether it lives",
    options: { pool: { validateAfterIdleMs: 0 }, monitor: { misses: 20, probeTimeoutMs: 60_000 } },
    prepare: async ({ pool, cluster }) => {
      await pool.query("INSERT INTO waiting VALUES (0)");
      await cluster.primary().proxy.stall();
    },
    begin: ({ pool }, options) => pool.query("INSERT INTO waiting VALUES (1)", [], options),
    reached: ({ pool, cluster }) => until("the check", () => pool.stats().nodes[cluster.primary().name]?.inUse === 1),
    onAbort: "ABORTED",
    onDeadline: "ACQUIRE_TIMEOUT",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a read that runs",
    options: { routing: { readFrom: "primary" } },
    prepare: ({ pool }) => pool.start(),
    begin: ({ pool }, options) => pool.query("SELECT 'runs', pg_sleep(60)", [], options),
    reached: ({ cluster }) => running(cluster.primary(), "'runs'"),
    onAbort: "ABORTED",
    onDeadline: "DEADLINE",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a write that runs",
    begin: ({ pool }, options) => pool.query("INSERT INTO waiting SELECT 77 FROM pg_sleep(60)", [], options),
    reached: ({ cluster }) => running(cluster.primary(), "SELECT 77"),
    onAbort: "COMMIT_UNKNOWN",
    onDeadline: "COMMIT_UNKNOWN",
    onClose: ["COMMIT_UNKNOWN"],
  },
  {
    name: "a statement that runs in a transaction",
    begin: ({ pool }, options) =>
      pool.transaction(async (tx) => {
        await tx.query("INSERT INTO waiting VALUES (1)");
        await tx.query("SELECT 'in transaction', pg_sleep(60)");
      }, options),
    reached: ({ cluster }) => running(cluster.primary(), "in transaction"),
    onAbort: "ABORTED",
    onDeadline: "DEADLINE",
    onClose: ["TRANSACTION_LOST"],
  },
  {
    name: "a statement that runs on a server that froze",
    options: { monitor: { misses: 20, probeTimeoutMs: 60_000 } },
    begin: ({ pool, cluster }, options) =>
      pool.transaction(async (tx) => {
        await tx.query("INSERT INTO waiting VALUES (1)");
        await cluster.primary().freeze();
        await tx.query("SELECT 'frozen'");
      }, options),
    reached: ({ cluster }) => until("the server to freeze", () => cluster.primary().isFrozen),
    onAbort: "ABORTED",
    onDeadline: "DEADLINE",
    onClose: ["TRANSACTION_LOST"],
  },
  {
    name: "a statement that waits for its turn in a session",
    begin: async (stage, options) => {
      const session = await stage.hold();
      const first = new AbortController();
      session.query("SELECT 'first', pg_sleep(60)", [], { signal: first.signal }).catch(() => {});
      await session.query("INSERT INTO waiting VALUES (1)", [], options).finally(() => first.abort());
    },
    reached: ({ cluster }) => running(cluster.primary(), "'first'"),
    onAbort: "ABORTED",
    onDeadline: "DEADLINE",
    onClose: ["TRANSACTION_LOST"],
  },
  {
    name: "a lost transaction that waits to run again",
    // the primary is killed by the call itself, which takes its time on a busy machine
    deadlineMs: 3_000,
    prepare: ({ pool }) => pool.start(),
    begin: ({ pool, cluster }, options) =>
      pool.transaction(
        async (tx) => {
          await tx.query("INSERT INTO waiting VALUES (1)");
          await cluster.primary().kill();
          await tx.query("INSERT INTO waiting VALUES (1)");
        },
        { ...options, retries: 100 },
      ),
    reached: waitsForNode,
    onAbort: "ABORTED",
    onDeadline: "NO_PRIMARY",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a pause that waits for work to end",
    prepare: (stage) => stage.hold(),
    begin: ({ pool }, options) => pool.pause(options),
    reached: isHeld,
    onAbort: "ABORTED",
    onDeadline: "DEADLINE",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a call that a pause holds",
    prepare: ({ pool }) => pool.start().then(() => pool.pause()),
    begin: ({ pool }, options) => pool.query("INSERT INTO waiting VALUES (1)", [], options),
    reached: waitsForNode,
    onAbort: "ABORTED",
    onDeadline: "NO_PRIMARY",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a switchover that waits for writes to end",
    prepare: (stage) => stage.hold(),
    begin: ({ pool, cluster }, options) =>
      pool.switchover({ to: anyMirror(cluster).name, promote: async () => {}, ...options }),
    reached: isHeld,
    onAbort: "ABORTED",
    onDeadline: "SWITCHOVER_FAILED",
    onClose: ["POOL_CLOSED"],
  },
  {
    name: "a switchover that waits for its hook",
    prepare: ({ pool }) => pool.start(),
    begin: ({ pool, cluster, signs }, options) =>
      pool.switchover({
        to: anyMirror(cluster).name,
        promote: () => {
          signs.add("hook");
          return new Promise(() => {});
        },
        ...options,
      }),
    reached: ({ signs }) => until("the hook to be called", () => signs.has("hook")),
    onAbort: "SWITCHOVER_FAILED",
    onDeadline: "SWITCHOVER_FAILED",
    // what the hook did is not known
    onClose: ["SWITCHOVER_FAILED"],
  },
  {
    name: "a switchover whose hook promotes nobody",
    prepare: ({ pool }) => pool.start(),
    begin: ({ pool, cluster, signs }, options) =>
      pool.switchover({
        to: anyMirror(cluster).name,
        promote: async () => void signs.add("hook"),
        ...options,
      }),
    reached: ({ signs }) => until("the hook to be called", () => signs.has("hook")),
    onAbort: "SWITCHOVER_FAILED",
    onDeadline: "SWITCHOVER_FAILED",
    onClose: ["SWITCHOVER_FAILED"],
  },
  {
    name: "a switchover to a mirror that does not catch up",
    prepare: async ({ pool, cluster }) => {
      await pool.start();
      await anyMirror(cluster).lag(true);
      await pool.query("INSERT INTO waiting VALUES (1)");
    },
    begin: ({ pool, cluster }, options) =>
      pool.switchover({ to: anyMirror(cluster).name, promote: async () => {}, ...options }),
    reached: isHeld,
    onAbort: "ABORTED",
    onDeadline: "SWITCHOVER_FAILED",
    onClose: ["POOL_CLOSED"],
  },
];

export const waitOptions = (wait: Wait): Partial<PoolOptions> => ({ timeouts: LONG, ...wait.options });
