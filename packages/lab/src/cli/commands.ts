import type { LabCluster } from "../cluster/cluster.ts";
import type { LabNode } from "../cluster/lab-node.ts";
import type { StopMode } from "../cluster/server.ts";
import { LabError } from "../errors.ts";
import type { FaultProxy } from "../proxy/fault-proxy.ts";
import { type Args, createArgs } from "./args.ts";

/** One command of the prompt. */
export interface Command {
  /** What is typed, in full. */
  readonly usage: string;
  readonly help: string;
  /** What it answers is shown; `undefined` shows the time it took. */
  readonly run: (cluster: LabCluster, args: Args) => Promise<unknown>;
}

const ON_OFF = ["on", "off"] as const;
const UP_DOWN = ["up", "down"] as const;

/** Ends the prompt; the caller handles it. */
export const QUIT = "quit";

/** What can be typed, by its first word. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  status: { usage: "status", help: "show the nodes", run: (cluster) => describeNodes(cluster) },
  kill: onNode("kill", "SIGKILL the whole process tree", (node) => node.kill()),
  freeze: onNode("freeze", "SIGSTOP the whole process tree", (node) => node.freeze()),
  thaw: onNode("thaw", "SIGCONT the whole process tree", (node) => node.thaw()),
  stop: onNode(
    "stop",
    "shut down in good order",
    (node, args) => node.stop(args.optional<StopMode>("mode", ["fast", "smart", "immediate"], "fast")),
    "[smart|immediate]",
  ),
  start: onNode("start", "start it in the role it had", (node) => node.start()),
  promote: onCluster("promote", "make it the primary, whatever the old one does", (cluster, node) =>
    cluster.promote(node),
  ),
  rejoin: onCluster("rejoin", "bring it back as a mirror of the primary", (cluster, node) => cluster.rejoin(node)),
  switchover: onCluster("switchover", "hand over to it, losing nothing", (cluster, node) => cluster.switchover(node)),
  lag: onNode("lag", "on: a mirror replays nothing more", (node, args) => node.lag(isOn(args)), "on|off"),
  replicate: onNode(
    "replicate",
    "off: a mirror receives nothing",
    (node, args) => node.replicate(isOn(args)),
    "on|off",
  ),
  readonly: onNode("readonly", "on: transactions are read-only", (node, args) => node.readOnly(isOn(args)), "on|off"),
  limit: onNode(
    "limit",
    "limit the application's connections (-1: no limit)",
    (node, args) => node.connectionLimit(args.number("limit")),
    "<n>",
  ),
  terminate: onNode("terminate", "end all sessions", (node) => node.terminateBackends()),
  fill: onNode("fill", "fill the disk", (node) => node.fillDisk()),
  free: onNode("free", "free the disk again", (node) => node.freeDisk()),
  heal: onProxy("heal", "no network fault", (proxy) => proxy.heal()),
  refuse: onProxy("refuse", "connections are refused", (proxy) => proxy.refuse()),
  reset: onProxy("reset", "connections are reset", (proxy) => proxy.reset()),
  blackhole: onProxy("blackhole", "everything disappears", (proxy) => proxy.blackHole()),
  halfopen: onProxy(
    "halfopen",
    "one direction disappears",
    (proxy, args) => proxy.halfOpen(args.choice("direction", UP_DOWN)),
    "up|down",
  ),
  stall: onProxy("stall", "everything is held until healed", (proxy) => proxy.stall()),
  latency: onProxy(
    "latency",
    "delay both directions",
    (proxy, args) => proxy.latency(args.number("ms"), args.number("jitter ms", 0)),
    "<ms> [jitter ms]",
  ),
  bandwidth: onProxy(
    "bandwidth",
    "limit both directions",
    (proxy, args) => proxy.bandwidth(args.number("bytes per second")),
    "<bytes per second>",
  ),
  cut: onProxy(
    "cut",
    "end each connection after so many bytes",
    (proxy, args) => proxy.cutAfter(args.number("bytes"), args.choice("direction", UP_DOWN)),
    "<bytes> up|down",
  ),
  sql: onNode("sql", "run a statement as superuser", (node, args) => node.query(args.rest()), "<statement>"),
  log: onNode("log", "show the end of its log", async (node) => node.logTail()),
  help: { usage: "help", help: "show this", run: async () => helpText() },
  [QUIT]: { usage: QUIT, help: "end everything", run: async () => undefined },
};

/** Runs one typed line. @throws LabError `invalid-option` when it is no command */
export async function runLine(cluster: LabCluster, line: string): Promise<unknown> {
  const args = createArgs(line);
  const word = args.next("command");
  const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  if (!command) throw new LabError("invalid-option", `no command "${word}": type help`);
  return command.run(cluster, args);
}

/** The state of a node in plain values. */
export async function describeNodes(cluster: LabCluster): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return Promise.all(
    cluster.nodes.map(async (node) => ({
      name: node.name,
      role: roleOf(cluster, node),
      state: node.isFrozen ? "frozen" : node.isRunning ? "running" : "down",
      network: networkOf(node),
      pid: node.pid ?? null,
      url: node.url,
      directUrl: node.directUrl,
      adminUrl: node.adminUrl,
    })),
  );
}

function roleOf(cluster: LabCluster, node: LabNode): string {
  if (node === cluster.primary()) return "primary";
  return cluster.mirrors().includes(node) ? "mirror" : "former primary";
}

function networkOf(node: LabNode): string {
  return node.port === node.directPort ? "no proxy" : node.proxy.fault.kind;
}

function helpText(): string {
  const width = Math.max(...Object.values(COMMANDS).map((command) => command.usage.length));
  return Object.values(COMMANDS)
    .map(({ usage, help }) => `  ${usage.padEnd(width)}  ${help}`)
    .join("\n");
}

function onCluster(
  word: string,
  help: string,
  run: (cluster: LabCluster, node: LabNode, args: Args) => Promise<unknown>,
  more?: string,
): Command {
  return {
    usage: more === undefined ? `${word} <node>` : `${word} <node> ${more}`,
    help,
    run: (cluster, args) => run(cluster, cluster.node(args.next("node")), args),
  };
}

function onNode(
  word: string,
  help: string,
  run: (node: LabNode, args: Args) => Promise<unknown>,
  more?: string,
): Command {
  return onCluster(word, help, (_, node, args) => run(node, args), more);
}

function onProxy(
  word: string,
  help: string,
  run: (proxy: FaultProxy, args: Args) => Promise<unknown>,
  more?: string,
): Command {
  return onNode(word, help, (node, args) => run(node.proxy, args), more);
}

function isOn(args: Args): boolean {
  return args.choice("on or off", ON_OFF) === "on";
}
