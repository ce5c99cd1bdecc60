import { describe, expect, test } from "vitest";
import type { TopologyEvent } from "../src/topology/reduce.ts";
import type { Topology } from "../src/topology/topology.ts";
import { after, blank, healthy, lost, mirror, observed, primary } from "./fixtures.ts";

const newer = primary({ timeline: 2 });
/** Of a system without timelines. */
const untimed = primary({ timeline: undefined });
const untimedMirror = mirror({ timeline: undefined });

describe("a single claim", () => {
  test("is not accepted before every node has had its first verdict", () => {
    const half = after(blank("a", "b"), observed("a", primary()));
    expect(half.primary).toBeUndefined();
    expect(after(half, lost("b")).primary).toBe("a");
  });

  test("of a node that is down counts no more", () => {
    expect(after(healthy(), lost("a")).primary).toBeUndefined();
  });

  test("counts again when the same node comes back on the same timeline, in the same epoch", () => {
    const back = after(healthy(), lost("a"), observed("a", primary({ instance: "restarted" }), 9));
    expect(back).toMatchObject({ primary: "a", epoch: 1, isWritable: true });
  });

  test("of a read-only primary makes it the primary, but not writable", () => {
    const readOnly = after(blank("a"), observed("a", primary({ isWritable: false })));
    expect(readOnly).toMatchObject({ primary: "a", isWritable: false });
  });
});

describe("two claims", () => {
  interface Expected {
    readonly primary: string | undefined;
    readonly epoch: number;
    readonly isSplit: boolean;
    readonly fences: Readonly<Record<string, string>>;
  }
  const cases: readonly (readonly [string, readonly TopologyEvent[], Expected])[] = [
    [
      "on a higher timeline the newer one wins and the old one is fenced",
      [observed("b", newer, 5)],
      { primary: "b", epoch: 2, isSplit: false, fences: { a: "superseded" } },
    ],
    [
      "the old primary stays fenced when it comes back and still takes writes",
      [lost("a"), observed("b", newer, 5), observed("a", primary(), 9)],
      { primary: "b", epoch: 2, isSplit: false, fences: { a: "superseded" } },
    ],
    [
      "the old primary stays fenced when the new one is lost: doubt is no reason to go back",
      [observed("b", newer, 5), lost("b"), observed("a", primary(), 9)],
      { primary: undefined, epoch: 2, isSplit: false, fences: { a: "superseded" } },
    ],
    [
      "a higher timeline that only a mirror tells of fences the old primary as well",
      [observed("c", mirror({ timeline: 2 }), 5)],
      { primary: undefined, epoch: 1, isSplit: false, fences: { a: "superseded" } },
    ],
    [
      "on equal timelines writes stop, and the newcomer is the rival",
      [observed("b", primary(), 5)],
      { primary: undefined, epoch: 1, isSplit: true, fences: { b: "rival" } },
    ],
    [
      "on equal timelines by one server under two addresses are one claim",
      [observed("b", primary({ instance: "a" }), 5)],
      { primary: "a", epoch: 1, isSplit: false, fences: {} },
    ],
    [
      "on the accepted timeline by another server is a rival also while the accepted primary is down",
      [lost("a"), observed("b", primary(), 5)],
      { primary: undefined, epoch: 1, isSplit: true, fences: { b: "rival" } },
    ],
    [
      "the rival is accepted once the former primary follows",
      [lost("a"), observed("b", primary(), 5), observed("a", mirror({ instance: "rebuilt" }), 9)],
      { primary: "b", epoch: 2, isSplit: false, fences: {} },
    ],
    [
      "of another cluster the stranger is fenced, whatever its timeline",
      [observed("c", primary({ systemId: "theirs", timeline: 9 }), 5)],
      { primary: "a", epoch: 1, isSplit: false, fences: { c: "foreign" } },
    ],
  ];

  test.each(cases)("%s", (_, events, { fences, ...expected }) => {
    const topology = after(healthy(), ...events);
    expect(topology).toMatchObject(expected);
    const fenced = [...topology.nodes.values()].filter((each) => each.fence !== undefined);
    expect(Object.fromEntries(fenced.map((each) => [each.id, each.fence]))).toEqual(fences);
  });
});

describe("before a primary was accepted", () => {
  test("nodes of two clusters leave nobody to say which one is meant", () => {
    const mixed = after(blank("a", "b"), observed("a", primary()), observed("b", primary({ systemId: "theirs" })));
    expect(mixed).toMatchObject({ primary: undefined, isSplit: true, epoch: 0 });
  });

  test("a superseded primary that answers first is not accepted when the newer one is seen", () => {
    const both = after(blank("a", "b"), observed("a", primary()), observed("b", newer));
    expect(both).toMatchObject({ primary: "b", epoch: 1 });
  });

  test("a stranger's timeline does not outlive the stranger", () => {
    const stranger = observed("b", primary({ systemId: "theirs", timeline: 9 }));
    const gone = after(blank("a", "b"), observed("a", primary()), stranger, observed("b", mirror(), 5));
    expect(gone).toMatchObject({ primary: "a", highestTimeline: 1, isWritable: true });
  });
});

describe("without timelines", () => {
  const accepted = after(
    blank("a", "b"),
    observed("a", untimed),
    observed("b", untimedMirror),
    observed("a", untimed, 1),
  );

  test("a mirror that was seen following is accepted after the primary was lost", () => {
    expect(after(accepted, lost("a"), observed("b", untimed, 5))).toMatchObject({ primary: "b", epoch: 2 });
  });

  test("a former primary that was not seen following since is superseded", () => {
    const failedOver = after(
      accepted,
      lost("a"),
      observed("b", untimed, 5),
      observed("b", untimed, 6),
      observed("a", untimed, 9),
    );
    expect(failedOver).toMatchObject({ primary: "b", isSplit: false });
    expect(failedOver.nodes.get("a")?.fence).toBe("superseded");
  });

  test("a primary that was seen only once, when it was accepted, has followed nobody since", () => {
    const reignedOnce = after(accepted, lost("a"), observed("b", untimed, 5));
    const succeeded = after(reignedOnce, observed("a", untimedMirror, 6), lost("b"), observed("a", untimed, 7));
    expect(succeeded).toMatchObject({ primary: "a", epoch: 3 });
    const back = after(succeeded, observed("b", untimed, 9), lost("a"), observed("b", untimed, 10));
    expect(back.primary).toBeUndefined();
    expect(back.nodes.get("b")?.fence).toBe("superseded");
  });

  test("a former primary that was seen following may reign again", () => {
    const returned = after(
      accepted,
      lost("a"),
      observed("b", untimed, 5),
      observed("a", untimedMirror, 9),
      lost("b"),
      observed("a", untimed, 12),
    );
    expect(returned).toMatchObject({ primary: "a", epoch: 3 });
  });

  test("a node that was never seen following is not accepted, although nobody else claims to be primary", () => {
    const unseen = after(blank("a", "b"), lost("a"), observed("b", untimed), lost("b"), observed("a", untimed, 5));
    expect(unseen.primary).toBeUndefined();
    expect(unseen.nodes.get("a")?.fence).toBe("superseded");
  });

  test("two claims stop writes, and are a split once the first one was made again", () => {
    const doubtful = after(accepted, observed("b", untimed, 5));
    expect(doubtful).toMatchObject({ primary: undefined, isSplit: false });
    expect(after(doubtful, observed("a", untimed, 6))).toMatchObject({ primary: undefined, isSplit: true });
  });

  test("a primary that was read-only for a while has followed nobody, and does not succeed its successor", () => {
    const readOnly = { ...untimedMirror, isFollowing: false };
    const succeeded = after(
      accepted,
      observed("b", untimedMirror, 3),
      observed("a", readOnly, 4),
      observed("b", untimed, 5),
    );
    expect(succeeded).toMatchObject({ primary: "b", isSplit: false });
    const back = after(succeeded, observed("a", readOnly, 6), observed("a", untimed, 7), observed("b", untimed, 8));
    expect(back).toMatchObject({ primary: "b", isSplit: false });
    expect(back.nodes.get("a")?.fence).toBe("superseded");
  });

  test("a primary that hangs is no rival of the mirror that is promoted before anybody knows", () => {
    const followed = after(
      accepted,
      observed("b", untimedMirror, 4),
      observed("b", untimed, 5),
      observed("b", untimed, 6),
    );
    expect(followed).toMatchObject({ primary: undefined, isSplit: false });
    expect(after(followed, lost("a"))).toMatchObject({ primary: "b", isSplit: false });
  });

  describe("histories tell", () => {
    const claim = (history: string) => primary({ timeline: undefined, history });
    const reigning = after(blank("a", "b"), observed("a", claim("a:a")), observed("b", untimedMirror));

    test.each([
      ["the one that has followed the other and has written since", ["a:a", "b:ab"], "b"],
      ["nobody while the promoted one has written nothing", ["a:a", "b:a"], undefined],
      ["nobody when the old one has more than the promoted one, which has written nothing", ["a:aa", "b:a"], undefined],
      ["nobody when both have written", ["a:aa", "b:ab"], undefined],
      ["the one that came back, once it has written again", ["a:aba", "b:ab"], "a"],
    ])("of two first claims %s", (_, [one = "", other = ""], expected) => {
      const both = after(blank("a", "b"), observed("a", claim(one)), observed("b", claim(other)));
      expect(both).toMatchObject({ primary: expected, isSplit: expected === undefined });
    });

    test("a promoted mirror that has written takes over, although the old primary still answers", () => {
      const both = after(reigning, observed("b", claim("b:a"), 5), observed("a", claim("a:a"), 6));
      expect(both).toMatchObject({ primary: undefined, isSplit: true });
      const written = after(reigning, observed("b", claim("b:ab"), 5));
      expect(written).toMatchObject({ primary: "b", isSplit: false, epoch: 2 });
      expect(written.nodes.get("a")?.fence).toBe("superseded");
    });

    test("a node that was not seen following does not overthrow a primary that answers, and may follow one that is lost", () => {
      const unseen = after(
        blank("a", "b"),
        lost("b"),
        observed("a", claim("a:a")),
        observed("b", claim("b:ab"), 5),
        observed("a", claim("a:a"), 6),
      );
      expect(unseen).toMatchObject({ primary: undefined, isSplit: true, epoch: 1 });
      expect(after(unseen, lost("a"), observed("b", claim("b:ab"), 9))).toMatchObject({ primary: "b", epoch: 2 });
    });

    test("a node that was not seen following is accepted with more of the former primary's writes than that was seen to have", () => {
      const succeeded = after(reigning, observed("b", claim("b:ab"), 5), lost("b"));
      const unknown = after(succeeded, observed("a", claim("a:ab"), 7));
      expect(unknown.primary).toBeUndefined();
      expect(unknown.nodes.get("a")?.fence).toBe("superseded");
      expect(after(succeeded, observed("a", claim("a:abb"), 7))).toMatchObject({ primary: "a", epoch: 3 });
      const following = after(succeeded, observed("b", untimedMirror, 6), observed("a", claim("a:abb"), 7));
      expect(following).toMatchObject({ primary: "a", epoch: 3 });
    });

    test("or with all of them, where some were written since that one was accepted", () => {
      const at = (history: string, position: string) => ({ ...claim(history), position });
      const succeeded = after(
        reigning,
        observed("b", at("b:ab", "11"), 5),
        observed("b", at("b:abb", "12"), 6),
        lost("b"),
      );
      expect(after(succeeded, observed("a", at("a:ab", "12"), 7)).primary).toBeUndefined();
      expect(after(succeeded, observed("a", at("a:abb", "11"), 7)).primary).toBeUndefined();
      expect(after(succeeded, observed("a", at("a:abb", "12"), 7))).toMatchObject({ primary: "a", epoch: 3 });
    });

    test("a mirror that lacks the last writes is accepted all the same, and who has them stays superseded", () => {
      const ahead = after(reigning, observed("a", claim("a:aa"), 3), lost("a"));
      const lossy = after(ahead, observed("b", claim("b:a"), 5));
      expect(lossy).toMatchObject({ primary: "b", epoch: 2 });
      const back = after(lossy, observed("a", claim("a:aa"), 9));
      expect(back).toMatchObject({ primary: "b", isSplit: false });
      expect(after(back, lost("b"), observed("a", claim("a:aaa"), 12)).nodes.get("a")?.fence).toBe("superseded");
    });
  });
});

describe("peers, any of which may be the primary", () => {
  const peer = mirror({ timeline: undefined, isPeer: true });
  const all = [observed("a", peer), observed("b", peer), observed("c", peer)];
  const settled = after(blank("a", "b", "c"), ...all, ...all);
  const rolesOf = ({ nodes }: Topology) =>
    [...nodes.values()].map(({ observation }) => `${observation?.role} ${observation?.isWritable}`);

  test("the first one configured is the primary, and the others are mirrors", () => {
    expect(settled).toMatchObject({ primary: "a", epoch: 1, isWritable: true, isSplit: false });
    expect(rolesOf(settled)).toEqual(["primary true", "mirror false", "mirror false"]);
    expect([...settled.nodes.values()].map(({ fence }) => fence)).toEqual([undefined, undefined, undefined]);
  });

  test("no primary is accepted before every node has had its first verdict", () => {
    expect(after(blank("a", "b"), observed("b", peer)).primary).toBeUndefined();
  });

  test("another one takes its place when it is lost, and keeps it when it comes back", () => {
    const moved = after(settled, lost("a"));
    expect(moved).toMatchObject({ primary: "b", epoch: 2, isWritable: true });
    const back = after(moved, observed("a", { ...peer, instance: "restarted" }, 5));
    expect(back).toMatchObject({ primary: "b", epoch: 2 });
    expect(rolesOf(back)).toEqual(["mirror false", "primary true", "mirror false"]);
  });

  test("one that is a mere mirror for a while gives its place away", () => {
    const moved = after(settled, observed("a", { ...peer, isPeer: false }, 5));
    expect(moved).toMatchObject({ primary: "b", epoch: 2 });
    expect(after(moved, lost("b"), lost("c")).primary).toBeUndefined();
  });

  test("one of another cluster is foreign", () => {
    const moved = after(settled, observed("b", { ...peer, systemId: "theirs" }, 5), lost("a"));
    expect(moved.primary).toBe("c");
    expect(moved.nodes.get("b")?.fence).toBe("foreign");
  });

  test("those that are not the primary are as fresh as the samples that they have", () => {
    const sampled = after(settled, observed("a", { ...peer, position: "20" }, 10));
    const fresh = after(sampled, observed("b", { ...peer, position: "20" }, 12), observed("c", peer, 12));
    expect(fresh.nodes.get("b")?.freshAsOf).toBe(10);
    expect(fresh.nodes.get("c")?.freshAsOf).toBeLessThan(10);
  });
});
