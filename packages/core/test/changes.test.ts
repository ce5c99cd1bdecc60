import { describe, expect, test } from "vitest";
import { changes } from "../src/observe/changes.ts";
import type { PoolEvents } from "../src/observe/events.ts";
import { Events } from "../src/observe/events.ts";
import type { TopologyEvent } from "../src/topology/reduce.ts";
import type { Topology } from "../src/topology/topology.ts";
import { after, blank, healthy, lost, mirror, observed, primary } from "./fixtures.ts";

const newPrimary = observed("b", primary({ timeline: 2 }), 5);
const demoted = after(healthy(), lost("a"));

describe("events tell", () => {
  const cases: readonly (readonly [string, Topology, TopologyEvent, readonly unknown[]])[] = [
    ["nothing when only a position moved", healthy(), observed("b", mirror({ position: "0" }), 9), []],
    [
      "that a node answers for the first time",
      blank("a", "b"),
      observed("b", mirror()),
      [["node-up", { node: "b", role: "mirror" }]],
    ],
    ["that a mirror is down", healthy(), lost("b"), [["node-down", { node: "b", reason: "refused (ECONNREFUSED)" }]]],
    [
      "that the primary is down",
      healthy(),
      lost("a"),
      [
        ["node-down", { node: "a", reason: "refused (ECONNREFUSED)" }],
        ["primary-lost", { node: "a", reason: "refused (ECONNREFUSED)" }],
      ],
    ],
    [
      "that the same primary is back",
      demoted,
      observed("a", primary(), 5),
      [
        ["node-up", { node: "a", role: "primary" }],
        ["primary-restored", { node: "a" }],
      ],
    ],
    [
      "that there is a new primary, and that the old one is fenced",
      healthy(),
      newPrimary,
      [
        ["node-fenced", { node: "a", reason: "superseded", timeline: 1 }],
        ["primary-changed", { node: "b", previous: "a", epoch: 2, timeline: 2, reason: "failover" }],
      ],
    ],
    [
      "the first primary as such",
      blank("a"),
      observed("a", primary()),
      [
        ["node-up", { node: "a", role: "primary" }],
        ["primary-changed", { node: "a", previous: undefined, epoch: 1, timeline: 1, reason: "initial" }],
      ],
    ],
    [
      "that the primary has become read-only",
      healthy(),
      observed("a", primary({ isWritable: false }), 5),
      [["primary-lost", { node: "a", reason: "read-only" }]],
    ],
    [
      "that the primary follows now",
      healthy(),
      observed("a", mirror(), 5),
      [["primary-lost", { node: "a", reason: "mirror" }]],
    ],
    [
      "a split brain, with all who claim",
      healthy(),
      observed("b", primary(), 5),
      [
        ["node-fenced", { node: "b", reason: "rival", timeline: 1 }],
        ["split-brain", { nodes: ["a", "b"] }],
        ["primary-lost", { node: "a", reason: "split-brain" }],
      ],
    ],
    [
      "that a node refuses our login, once",
      healthy(),
      { type: "troubled", node: "b", fault: { kind: "configuration", code: "28P01" } },
      [["node-misconfigured", { node: "b", reason: "configuration (28P01)" }]],
    ],
  ];

  test.each(cases)("%s", (_, before, event, expected) => {
    expect(changes(before, after(before, event), false)).toEqual(expected);
  });

  test("that a new primary was handed over, when it was", () => {
    const [, changed] = changes(healthy(), after(healthy(), newPrimary), true);
    expect(changed).toMatchObject(["primary-changed", { reason: "switchover" }]);
  });
});

describe("listeners", () => {
  const paused: PoolEvents["node-down"] = { node: "a", reason: "refused" };

  test("are called in the order in which they came, until they end it", () => {
    const events = new Events();
    const heard: string[] = [];
    const stop = events.on("node-down", ({ node }) => heard.push(`first ${node}`));
    events.on("node-down", ({ node }) => heard.push(`second ${node}`));
    events.emit("node-down", paused);
    stop();
    events.emit("node-down", paused);
    expect(heard).toEqual(["first a", "second a", "second a"]);
  });

  test("that throw are reported as a warning and break nothing", () => {
    const events = new Events();
    const heard: string[] = [];
    events.on("node-down", () => {
      throw new Error("a bug of the application");
    });
    events.on("node-down", ({ node }) => heard.push(node));
    const { emitWarning } = process;
    process.emitWarning = (warning) => void heard.push(String(warning));
    try {
      events.emit("node-down", paused);
    } finally {
      process.emitWarning = emitWarning;
    }
    expect(heard).toEqual([expect.stringContaining("a bug of the application"), "a"]);
  });
});
