import { describe, expect, test } from "vitest";
import { mirrorLagMs } from "../src/topology/lag.ts";
import { MAX_SAMPLES, reduce } from "../src/topology/reduce.ts";
import type { Topology } from "../src/topology/topology.ts";
import { after, blank, healthy, lost, mirror, observed, primary, rules } from "./fixtures.ts";

const freshness = (topology: Topology, id: string): number | undefined => topology.nodes.get(id)?.freshAsOf;

describe("snapshots", () => {
  test("an event that changes nothing gives the same snapshot", () => {
    const down = after(healthy(), lost("b"));
    expect(reduce(down, lost("b"), rules)).toBe(down);
    expect(reduce(down, { type: "held", hold: "none" }, rules)).toBe(down);
    expect(reduce(down, observed("nobody", primary()), rules)).toBe(down);
  });

  test("an event never changes the snapshot before it", () => {
    const before = healthy();
    const copy = structuredClone(before);
    after(before, lost("a"), observed("b", primary({ timeline: 2 }), 5), { type: "held", hold: "all" });
    expect(before).toEqual(copy);
  });

  test("a node that is lost keeps its last observation and says why", () => {
    expect(after(healthy(), lost("a")).nodes.get("a")).toMatchObject({
      status: "down",
      observation: { role: "primary" },
      fault: { kind: "refused" },
    });
  });

  test("a trouble is a verdict before the first one, and no news for a node that is up", () => {
    const trouble = { type: "troubled", node: "b", fault: { kind: "silent", code: undefined } } as const;
    expect(after(blank("a", "b"), trouble).nodes.get("b")?.status).toBe("down");
    expect(after(healthy(), trouble).nodes.get("b")?.status).toBe("up");
  });

  test("the epoch counts primaries and never goes back", () => {
    const epochs = [healthy()];
    for (const event of [
      lost("a"),
      observed("b", primary({ timeline: 2 }), 5),
      observed("a", primary(), 6),
      lost("b"),
      observed("c", primary({ timeline: 3 }), 7),
      observed("b", primary({ timeline: 2 }), 8),
    ]) {
      epochs.push(after(epochs.at(-1) as Topology, event));
    }
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2, 2, 3, 3]);
  });

  test("latency follows the round trips of the probes slowly", () => {
    const topology = after(blank("a"), observed("a", primary(), 0, 10), observed("a", primary(), 20, 50));
    expect(topology.nodes.get("a")?.latencyMs).toBeCloseTo(10 * 0.8 + 30 * 0.2);
  });
});

describe("freshness", () => {
  /** The primary's samples: position 10 at time 100, 20 at 200. */
  const sampled = after(
    healthy(),
    observed("a", primary({ position: "10" }), 100),
    observed("a", primary({ position: "20" }), 200),
  );

  test.each([
    ["the newest sample as of then", "20", 200, 0],
    ["more than the newest sample as of then", "25", 200, 0],
    ["an older sample as of the older one", "19", 100, 1],
  ])("a mirror that has replayed %s is fresh", (_, position, freshAsOf, lagBytes) => {
    const topology = after(sampled, observed("b", mirror({ position }), 250));
    expect(topology.nodes.get("b")).toMatchObject({ freshAsOf, lagBytes });
  });

  test("freshness does not go back, as a mirror never forgets what it has replayed", () => {
    const topology = after(
      sampled,
      observed("b", mirror({ position: "20" }), 250),
      observed("b", mirror({ position: "0" }), 260),
    );
    expect(freshness(topology, "b")).toBe(200);
  });

  test("what a former process had replayed says nothing of one that was rebuilt", () => {
    const topology = after(
      sampled,
      observed("b", mirror({ position: "20" }), 250),
      observed("b", mirror({ position: "0", instance: "rebuilt" }), 260),
    );
    expect(freshness(topology, "b")).toBe(0);
  });

  test("a mirror on an older timeline is never fresh, however high its position", () => {
    const promoted = after(
      healthy(),
      lost("a"),
      observed("c", primary({ timeline: 2, position: "5" }), 300),
      observed("b", mirror({ timeline: 1, position: "99" }), 310),
    );
    expect(freshness(promoted, "b")).toBe(Number.NEGATIVE_INFINITY);
  });

  test("a new primary begins with no samples and no fresh mirror", () => {
    const fresh = after(sampled, observed("b", mirror({ position: "20" }), 250));
    const promoted = after(fresh, observed("c", primary({ timeline: 2, position: "20" }), 300));
    expect(freshness(promoted, "b")).toBe(Number.NEGATIVE_INFINITY);
    expect(promoted.samples).toEqual([{ sentAt: 300, receivedAt: 300, position: "20" }]);
  });

  test("a primary that gave way has all that was written, until there is another one", () => {
    const demoted = after(sampled, observed("a", mirror({ position: "15" }), 250));
    expect(demoted.primary).toBeUndefined();
    expect(freshness(demoted, "a")).toBe(250);
    const rebuilt = after(sampled, observed("a", mirror({ position: "15", instance: "rebuilt" }), 250));
    expect(freshness(rebuilt, "a")).toBeLessThan(250);
    const followed = after(demoted, observed("b", primary({ timeline: 2, position: "20" }), 300));
    expect(freshness(followed, "a")).toBe(Number.NEGATIVE_INFINITY);
  });

  test("samples are bounded, the oldest go first", () => {
    let topology = healthy();
    for (let at = 1; at <= MAX_SAMPLES + 5; at += 1) {
      topology = after(topology, observed("a", primary({ position: String(at) }), at));
    }
    expect(topology.samples).toHaveLength(MAX_SAMPLES);
    expect(topology.samples[0]?.sentAt).toBe(6);
  });

  describe("lag", () => {
    const lagOf = (topology: Topology): number => {
      const node = topology.nodes.get("b");
      if (node === undefined) throw new Error("b is one of the nodes");
      return mirrorLagMs(topology, node);
    };

    test.each([
      ["zero when it has the newest sample", "20", 0],
      ["the distance to the sample that it has", "10", 100],
    ])("is %s", (_, position, lag) => {
      expect(lagOf(after(sampled, observed("b", mirror({ position }), 250)))).toBe(lag);
    });

    test("is as long as the samples reach back when it has none of them", () => {
      const behind = after(sampled, observed("b", mirror({ position: "-1", instance: "rebuilt" }), 250));
      expect(lagOf(behind)).toBe(200);
    });

    test("is unbounded when it has none of the most samples that are kept", () => {
      let topology = healthy();
      for (let at = 1; at <= MAX_SAMPLES; at += 1) {
        topology = after(topology, observed("a", primary({ position: String(at) }), at));
      }
      expect(lagOf(after(topology, observed("b", mirror({ position: "-1", instance: "rebuilt" }), 250)))).toBe(
        Number.POSITIVE_INFINITY,
      );
    });

    test("is zero while there is no primary: nothing can be behind it", () => {
      expect(lagOf(after(blank("a", "b"), lost("a"), observed("b", mirror())))).toBe(0);
    });
  });
});
