import type { Stage } from "./stage.ts";
import type { Server } from "./world/server.ts";

/** A trouble that begins now, with whatever follows from it later. */
type Fault = (stage: Stage) => void;

/** Each kind of trouble, by how often it shall be drawn. Several may run into each other. */
const faults: readonly (readonly [weight: number, fault: Fault])[] = [
  [5, loseThePrimary],
  [2, handOver],
  [1, promoteTwo],
  [2, restartInPlace],
  [2, switchToReadOnly],
  [2, troubleAMirror],
  [2, pauseReplication],
  [2, endConnections],
  [1, refuseLogins],
  [1, slowTheNetwork],
  [1, leadElsewhere],
  [1, stallTheProcess],
];

/** Draws the troubles of one simulation, and when they begin. */
export function scheduleFaults(stage: Stage): void {
  const { random, setting } = stage;
  for (let index = 0; index < setting.faults; index += 1) {
    const fault = random.weighted(faults);
    later(stage, random.between(20, setting.troubledMs * 0.8), () => fault(stage));
  }
  for (let index = 0; index < setting.slowings; index += 1)
    later(stage, random.between(20, setting.troubledMs), () => slowTheNetwork(stage));
}

/** What follows from a trouble, unless all troubles are over by then. */
function later({ clock, world }: Stage, delayMs: number, then: () => void): void {
  clock.schedule(delayMs, "server", () => {
    if (!world.isSettled) then();
  });
}

/** The primary cannot be reached any more; somebody promotes a mirror; the old primary may come back as if nothing had been. */
function loseThePrimary(stage: Stage): void {
  const { world, random } = stage;
  const old = world.primary;
  if (old === undefined) return;
  const comeBack = take(stage, old);
  const promotesAfter = random.between(0, 300);
  const promotes = random.chance(0.85);
  if (promotes) later(stage, promotesAfter, () => promoteAny(stage));
  later(stage, promotesAfter + random.between(-50, 500), comeBack);
  if (random.chance(0.7)) {
    later(stage, promotesAfter + random.between(100, 800), () => {
      const { primary } = world;
      if (promotes && primary !== undefined && primary !== old) world.follow(old, primary);
    });
  }
}

/** Makes a server unreachable in one of the ways there are. Returns what undoes it. */
function take({ world, random }: Stage, server: Server): () => void {
  const path = world.path(server);
  const how = random.pick(["crash", "power", "freeze", "partition", "isolation", "deaf", "mute"]);
  world.fault(`${server.id}: ${how}`);
  const isolates = how === "isolation" || (how === "partition" && random.chance(0.5));
  if (how === "crash") server.crash(true);
  if (how === "power") {
    path.block("up", "down");
    server.crash(false);
  }
  if (how === "freeze") server.freeze();
  if (how === "partition" || how === "isolation") path.block("up", "down");
  if (how === "deaf") path.block("up");
  if (how === "mute") path.block("down");
  if (isolates) world.isolate(server);
  return () => {
    world.fault(`${server.id}: ${how} ends`);
    if (!server.isRunning) server.start(random.between(0, 100));
    server.thaw();
    path.heal();
    world.rejoin(server);
  };
}

/** One of the mirrors, not always that which has most; the others follow it after a while. */
function promoteAny(stage: Stage): void {
  const { world, random } = stage;
  const candidates = world.mirrors.filter(({ isRunning, isFrozen }) => isRunning && !isFrozen);
  if (candidates.length === 0) return;
  const best = [...candidates].sort((a, b) => b.timeline - a.timeline || b.log.length - a.log.length)[0] as Server;
  const chosen = random.chance(0.8) ? best : random.pick(candidates);
  world.promote(chosen);
  for (const mirror of world.mirrors) {
    if (mirror === chosen || random.chance(0.2)) continue;
    later(stage, random.between(0, 300), () => {
      const { primary } = world;
      if (mirror.role === "mirror" && primary !== undefined) world.follow(mirror, primary);
    });
  }
}

/** A hand-over that the pool does not know of: the old primary gives way by itself. */
function handOver(stage: Stage): void {
  const { world, random } = stage;
  const old = world.primary;
  const next = world.mirrors.find(({ isRunning, isFrozen }) => isRunning && !isFrozen);
  if (old === undefined || next === undefined || !old.isRunning) return;
  world.fault(`${old.id} gives way to ${next.id}`);
  old.isReadOnly = true;
  later(stage, random.between(0, 60), () => {
    if (random.chance(0.5)) old.crash(true);
    later(stage, random.between(0, 60), () => {
      world.promote(next);
      if (next.role === "primary") world.follow(old, next);
    });
  });
}

/** Two mirrors are promoted from one ancestor: both are on the same timeline. */
function promoteTwo(stage: Stage): void {
  const { world, random } = stage;
  const old = world.primary;
  const [one, other] = world.mirrors;
  if (old === undefined || one === undefined || other === undefined) return;
  if (random.chance(0.7)) take(stage, old);
  world.promote(one);
  later(stage, random.between(0, 200), () => world.promote(other));
}

function restartInPlace(stage: Stage): void {
  const { world, random } = stage;
  const { primary } = world;
  if (primary === undefined) return;
  world.fault(`${primary.id} restarts in place`);
  primary.crash(random.chance(0.8));
  later(stage, random.between(5, 250), () => {
    if (!primary.isRunning) primary.start(random.between(0, 150));
  });
}

function switchToReadOnly(stage: Stage): void {
  const { world, random } = stage;
  const { primary } = world;
  if (primary === undefined) return;
  world.fault(`${primary.id} is read-only for a while`);
  primary.isReadOnly = true;
  later(stage, random.between(10, 500), () => {
    primary.isReadOnly = false;
  });
}

function troubleAMirror(stage: Stage): void {
  const { world, random } = stage;
  if (world.mirrors.length === 0) return;
  const comeBack = take(stage, random.pick(world.mirrors));
  later(stage, random.between(20, 600), comeBack);
}

function pauseReplication(stage: Stage): void {
  const { world, random } = stage;
  if (world.mirrors.length === 0) return;
  const mirror = random.pick(world.mirrors);
  world.fault(`${mirror.id} does not replay for a while`);
  mirror.isReplayPaused = true;
  later(stage, random.between(50, 800), () => {
    mirror.isReplayPaused = false;
    world.replicateSoon(mirror);
  });
}

/** Backends are terminated, or connections reset somewhere on the way. */
function endConnections({ world, connections, random }: Stage): void {
  const server = random.pick(world.servers);
  const byReset = random.chance(0.5);
  world.fault(`${server.id}: connections are ${byReset ? "reset" : "terminated"}`);
  if (byReset) {
    for (const connection of [...connections]) {
      if (connection.server === server && random.chance(0.7)) connection.reset();
    }
    return;
  }
  for (const backend of [...server.backends]) {
    const afterEffect = random.chance(0.5);
    if (random.chance(0.7)) server.act(() => backend.terminate(afterEffect));
  }
}

function refuseLogins(stage: Stage): void {
  const { world, random } = stage;
  const server = random.pick(world.servers);
  const code = random.pick(["53300", "28P01", "57P03"] as const);
  world.fault(`${server.id} refuses logins with ${code}`);
  server.loginFault = code;
  later(stage, random.between(20, 600), () => {
    server.loginFault = undefined;
  });
}

function slowTheNetwork(stage: Stage): void {
  const { world, random } = stage;
  const server = random.pick(world.servers);
  world.fault(`the way to ${server.id} is slow`);
  world.path(server).slowDown(random.between(5, 80));
  later(stage, random.between(50, 600), () => world.path(server).heal());
}

/** A node's address leads to a stranger for a while: another cluster, whose primary takes any write. */
function leadElsewhere(stage: Stage): void {
  const { world, random, pool } = stage;
  // whose primary it sees first, that cluster is the pool's
  if (pool.topology().epoch === 0) return;
  const node = random.pick(world.members).id;
  const own = world.serverAt(node);
  const stranger = world.addServer(`stranger-${world.servers.length}`, "system-2");
  stranger.timeline = random.integer(1, 5);
  world.fault(`the address of ${node} leads to ${stranger.id}`);
  world.pointTo(node, stranger);
  if (random.chance(0.5)) own.crash(true);
  later(stage, random.between(50, 500), () => {
    world.pointTo(node, own);
    if (!own.isRunning) own.start(20);
    world.fault(`the address of ${node} leads to ${own.id} again`);
  });
}

function stallTheProcess({ clock, history, random }: Stage): void {
  const forMs = random.between(20, 600);
  history.add({ type: "stall", forMs });
  clock.stall(forMs);
}
