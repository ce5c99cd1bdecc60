import { expect, test } from "vitest";
import { COMMANDS } from "../src/cli/commands.ts";
import { connectTo, failureOf } from "./application.ts";
import { type Child, runChild } from "./children.ts";

interface Line {
  readonly command: string;
  readonly ms?: number;
  readonly answer?: unknown;
  readonly error?: string;
}

interface NodeLine {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly network: string;
  readonly url: string;
}

/** Types a line and returns what is answered to it. */
async function type(child: Child, line: string): Promise<Line> {
  const before = child.output().length;
  child.process.stdin?.write(`${line}\n`);
  const since = () => child.output().slice(before);
  for (;;) {
    const [first, rest] = since().split("\n");
    if (first !== undefined && rest !== undefined) return JSON.parse(first) as Line;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function boot(...args: readonly string[]): Promise<{ child: Child; nodes: readonly NodeLine[] }> {
  const child = runChild("../src/cli.ts", ["up", "--json", ...args]);
  await child.says('"answer":[');
  const [first = ""] = child.output().split("\n");
  return { child, nodes: (JSON.parse(first) as { answer: readonly NodeLine[] }).answer };
}

test("up serves the commands of its prompt until quit", async () => {
  const { child, nodes } = await boot("--mirrors", "1");
  expect(nodes.map(({ name, role, state, network }) => [name, role, state, network])).toEqual([
    ["node1", "primary", "running", "pass"],
    ["node2", "mirror", "running", "pass"],
  ]);
  const [url = ""] = nodes.map((node) => node.url);
  await connectTo(url);

  expect(await type(child, "sql node1 SELECT 1 + 1 AS two")).toMatchObject({ answer: [{ two: 2 }] });
  expect(await type(child, "kill node1")).toEqual({ command: "kill node1", ms: expect.any(Number) });
  expect(await failureOf(connectTo(url))).toBe("ECONNREFUSED");
  expect(await type(child, "promote node2")).toMatchObject({ answer: expect.any(Number) });
  expect((await type(child, "status")).answer).toMatchObject([
    { role: "former primary", state: "down" },
    { role: "primary", state: "running" },
  ]);
  expect((await type(child, "rejoin node1")).error).toBeUndefined();
  for (const line of [
    "freeze node1",
    "thaw node1",
    "lag node1 on",
    "lag node1 off",
    "readonly node2 on",
    "readonly node2 off",
  ]) {
    expect((await type(child, line)).error, line).toBeUndefined();
  }
  for (const line of ["blackhole", "stall", "halfopen", "latency", "bandwidth", "cut"]) {
    const args: Record<string, string> = { halfopen: " up", latency: " 5 1", bandwidth: " 1000", cut: " 10 down" };
    expect((await type(child, `${line} node1${args[line] ?? ""}`)).error, line).toBeUndefined();
  }
  expect((await type(child, "status")).answer).toMatchObject([{ network: "cut-after" }, {}]);
  child.process.stdin?.write("quit\n");
  expect(await child.ended).toBe(0);
});

test("what is typed wrongly is answered with what was expected", async () => {
  const { child } = await boot("--mirrors", "0");
  const answers: Record<string, string> = {
    nonsense: 'no command "nonsense": type help',
    toString: 'no command "toString": type help',
    kill: "node is missing",
    "kill node7": 'there is no node "node7", only node1',
    "lag node1 perhaps": 'on or off: expected on or off, got "perhaps"',
    "latency node1 soon": 'ms: expected a number, got "soon"',
    "stop node1 slowly": 'mode: expected fast or smart or immediate, got "slowly"',
    "promote node1": "node1 is the primary already",
  };
  for (const [line, error] of Object.entries(answers))
    expect(await type(child, line)).toEqual({ command: line, error });
  const { answer } = await type(child, "help");
  for (const { usage } of Object.values(COMMANDS)) expect(answer).toContain(usage);
  // the end of its input is not the end of the cluster
  child.process.stdin?.end();
  child.process.kill("SIGINT");
  expect(await child.ended).toBe("SIGINT");
});

test("without --json it prints a table", async () => {
  const child = runChild("../src/cli.ts", ["up", "--mirrors", "1", "--synchronous"]);
  await child.says("type help");
  expect(child.output()).toMatch(/^name +role +state/);
  expect(child.output()).toMatch(/\nnode2 +mirror +running/);
  expect(child.output()).toMatch(/\nDATABASE_URLS=postgresql:[^,\s]+,postgresql:[^,\s]+\n/);
  child.process.kill("SIGTERM");
  expect(await child.ended).toBe("SIGTERM");
});

test("--database boots another system, with the same commands", async () => {
  const { child, nodes } = await boot("--database", "mariadb", "--mirrors", "1");
  expect(nodes.map((node) => node.url)).toEqual([
    expect.stringContaining("mysql://"),
    expect.stringContaining("mysql://"),
  ]);
  expect(await type(child, "sql node1 SELECT 1 + 1 AS two")).toMatchObject({ answer: [{ two: 2 }] });
  for (const line of [
    "kill node1",
    "promote node2",
    "rejoin node1",
    "lag node1 on",
    "lag node1 off",
    "switchover node1",
  ]) {
    expect((await type(child, line)).error, line).toBeUndefined();
  }
  child.process.stdin?.write("quit\n");
  expect(await child.ended).toBe(0);
});

test.each<[args: readonly string[], code: number, output: string]>([
  [["--help"], 0, "mirrorpool-lab up"],
  [[], 2, "mirrorpool-lab up"],
  [["down"], 2, "mirrorpool-lab up"],
  [["up", "--nonsense"], 2, "Unknown option '--nonsense'"],
  [["up", "--mirrors", "many"], 1, "mirrorpool-lab: mirrors: expected 0-8, got NaN"],
  [["up", "--database", "oracle"], 1, 'server: expected "postgres", "mariadb", "mysql", got "oracle"'],
  [["up", "--bin", "/nowhere"], 1, "mirrorpool-lab: /nowhere/postgres does not run"],
  [["sweep"], 0, ""],
])("%j ends with %i", async (args, code, output) => {
  const child = runChild("../src/cli.ts", args);
  expect(await child.ended).toBe(code);
  expect(child.output()).toContain(output);
});
