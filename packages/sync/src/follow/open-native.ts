import { type Refusal, refused } from "../errors.ts";
import type { Following, FollowOptions } from "./follow.ts";
import type { FollowerSetting } from "./follower.ts";
import { KeptPosition } from "./kept-position.ts";
import { NativeFollower } from "./postgres/native.ts";
import { nativeObstacles } from "./postgres/obstacles.ts";
import { flavorOf, type Given, orderKept } from "./sides.ts";

type Parts = Given &
  Pick<FollowerSetting, "job" | "begin" | "numbers"> & {
    readonly options: FollowOptions;
    /** How the target's server reaches a node of the source. Holds a password. */
    readonly connection: (node: string) => string | Promise<string>;
  };

/**
 * Has the target's server follow by itself.
 * @param refusals what is known already to stand in the way
 * @throws {JobError} `REFUSED` with all reasons
 */
export async function openNative(parts: Parts, refusals: readonly Refusal[]): Promise<Following> {
  const { bridge, source, target, job } = parts;
  const refuse = (found: readonly Refusal[]): void => {
    const all = [...refusals, ...found];
    if (all.length > 0) throw refused(`the job ${job} is`, all);
  };
  const [one, other] = [source, target].map((side) => (side.system === "mysql" ? flavorOf(side) : side.system));
  if (one !== other) {
    const reason =
      "the servers' own replication is set up between two PostgreSQL, two MariaDB or two MySQL servers only";
    refuse([{ table: "", reason }]);
  }
  if (bridge.from === "postgres") {
    const { from, to, pairs, name, begin, connection, options, signal } = parts;
    refuse(await nativeObstacles(from, to, pairs));
    return new NativeFollower({
      from,
      to,
      bridge,
      pairs,
      name,
      copies: begin === "copy",
      connection: () => connection(from.topology().primary ?? ""),
      onEvent: options.onEvent,
      signal,
    });
  }
  return openMysql(parts, refuse);
}

async function openMysql(parts: Parts, refuse: (found: readonly Refusal[]) => void): Promise<Following> {
  const { from, to, bridge, source, target, pairs, name, begin, numbers, job, connection, options, signal } = parts;
  // whoever has no MySQL need not install its driver
  const [{ MysqlSource }, { mysqlApplier }, { Replica }, { MysqlNativeFollower }, obstacles] = await Promise.all([
    import("./mysql/source.ts"),
    import("./mysql/applier.ts"),
    import("./mysql/replica.ts"),
    import("./mysql/native.ts"),
    import("./mysql/native-obstacles.ts"),
  ]);
  const flavor = flavorOf(source);
  const database = source.identity.slice("mysql/".length);
  const tables = pairs.map((pair) => pair.target.name);
  const replica = new Replica(flavor, name, database, tables);
  const kept = new KeptPosition(to, bridge.target.state, job);
  const isAgain = (await kept.load()) !== undefined;
  const found: Refusal[] = [];
  await orderKept(parts, found);
  found.push(
    ...(await obstacles.nativeObstacles({ from, to, flavor, source, target, pairs, replica, isAgain, signal })),
  );
  refuse(found);
  const applier = mysqlApplier(flavor, pairs, new Set(), bridge.target.isConflict);
  return new MysqlNativeFollower({
    from,
    to,
    bridge,
    pairs,
    flavor,
    job,
    replica,
    kept,
    source: new MysqlSource({
      from,
      pairs,
      flavor,
      connections: numbers.connections,
      maxBytes: numbers.maxBatchBytes,
    }),
    seed: { options, numbers, bridge, applier, job, begin, pairs },
    attempts: numbers.attempts,
    connection,
    onEvent: options.onEvent,
    signal,
  });
}
