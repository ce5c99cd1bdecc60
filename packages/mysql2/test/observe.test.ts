import { describe, expect, test } from "vitest";
import { OutOfGroup } from "../src/classify.ts";
import type { Facts } from "../src/facts.ts";
import type { Identity } from "../src/identity.ts";
import { observe } from "../src/observe.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

const identity = (changes: Partial<Identity> = {}): Identity => ({
  flavour: "mariadb",
  server: "1",
  instance: "1/host/3306/100",
  group: undefined,
  isGalera: false,
  hasPeers: false,
  opened: [],
  hasSemiSync: true,
  ...changes,
});
const facts = (given: Readonly<Record<string, string | null>>): Facts => new Map(Object.entries(given));

describe("the role", () => {
  test.each([
    [
      "a primary takes writes and applies nobody's",
      { read_only: "0", innodb_read_only: "0", appliers: "0" },
      "primary",
    ],
    ["read_only", { read_only: "1", appliers: "0" }, "mirror"],
    ["read_only in words", { read_only: "ON" }, "mirror"],
    ["the forms of it that lock nobody out yet", { read_only: "NO_LOCK" }, "mirror"],
    ["not read_only in words", { read_only: "OFF" }, "primary"],
    ["super_read_only", { read_only: "0", super_read_only: "1" }, "mirror"],
    ["innodb_read_only", { read_only: "0", innodb_read_only: "1" }, "mirror"],
    ["a mirror that forgot to be read-only", { read_only: "0", appliers: "1" }, "mirror"],
    ["a mirror of MySQL that forgot to be read-only", { read_only: "0", applier: "1" }, "mirror"],
  ])("%s", (_, given, role) => {
    expect(observe(identity(), facts(given))).toMatchObject({
      role,
      isWritable: role === "primary",
      timeline: undefined,
    });
  });
});

describe("what a primary says of its past", () => {
  const primary = { read_only: "0", primary_position: "0-1-9", mirror_only: "0-2-7", executed: "0-2-7,0-1-9" };
  const mysql = { read_only: "0", primary_position: `${UUID}:1-9`, executed: `${UUID}:1-9` };

  test("on MariaDB anybody may hear", () => {
    expect(observe(identity(), facts(primary))).toMatchObject({
      position: "0-1-9",
      endOfRecovery: "0-2-7",
      history: "1@0-2-7,0-1-9",
    });
  });

  test("on MySQL it proves nothing to those who may not see whether it follows another one", () => {
    const one = identity({ flavour: "mysql", server: UUID });
    expect(observe(one, facts(mysql))).toMatchObject({ position: `${UUID}:1-9`, history: undefined });
    expect(observe(one, facts({ ...mysql, applier: "0" })).history).toBe(`${UUID}@${UUID}:1-9`);
    expect(observe(one, facts(mysql)).endOfRecovery).toBe(`${UUID}:1-9~${UUID}`);
  });

  test("the reign is that of the latest row in the ledger, where that is its own", () => {
    const historyWith = (reign: string | null): string | undefined =>
      observe(identity(), facts({ ...primary, reign })).history;
    expect(historyWith("reign-0000000012-1")).toBe("1@0-2-7,0-1-9@12");
    expect(historyWith("reign-0000000012-2")).toBe("1@0-2-7,0-1-9");
    expect(historyWith(null)).toBe("1@0-2-7,0-1-9");
    const one = identity({ flavour: "mysql", server: UUID });
    const row = `reign-0000000003-${UUID.replaceAll("-", "").slice(0, 19)}`;
    expect(observe(one, facts({ ...mysql, applier: "0", reign: row })).history).toBe(`${UUID}@${UUID}:1-9@3`);
    expect(observe(one, facts({ ...mysql, reign: row })).history).toBe(`${UUID}@@3`);
  });

  test("without GTIDs there is no position, and no history", () => {
    const { position, history, endOfRecovery } = observe(identity(), facts({ read_only: "0", primary_position: "" }));
    expect([position, history, endOfRecovery]).toEqual([undefined, undefined, undefined]);
  });

  test("a mirror has a position alone", () => {
    const seen = observe(identity(), facts({ ...primary, read_only: "1", mirror_position: "0-1-8" }));
    expect(seen).toMatchObject({ position: "0-1-8" });
    expect(seen).not.toHaveProperty("history");
  });
});

test.each([
  ["never gives up", "3600000", "AFTER_SYNC", "1", true],
  ["gives up after a while", "10000", "AFTER_SYNC", "1", false],
  ["shows a commit before a mirror has it", "3600000", "AFTER_COMMIT", "1", false],
  ["does not wait without mirrors", "3600000", "AFTER_SYNC", "0", false],
])("semi-synchronous replication that %s", (_, timeout, point, alone, isSynchronous) => {
  const given = {
    semi_sync: "1",
    semi_sync_timeout: timeout,
    semi_sync_wait_point: point,
    semi_sync_wait_alone: alone,
  };
  expect(observe(identity(), facts({ read_only: "0", ...given })).isSynchronous).toBe(isSynchronous);
});

describe("in a Galera cluster", () => {
  const galera = identity({ isGalera: true, group: UUID });
  const synced = {
    read_only: "0",
    wsrep_ready: "ON",
    wsrep_local_state: "4",
    wsrep_cluster_status: "Primary",
    wsrep_cluster_state_uuid: UUID,
    wsrep_last_committed: "17",
  };

  test("each node that has all is a peer: the pool settles which one is written to", () => {
    expect(observe(galera, facts(synced))).toMatchObject({
      role: "mirror",
      isPeer: true,
      systemId: `mariadb ${UUID}`,
      position: `wsrep:${UUID}:17`,
      isSynchronous: true,
    });
  });

  test.each([
    ["that sends its data to one that joins is a peer as well", { wsrep_local_state: "2" }, true],
    ["that is catching up is a mirror", { wsrep_local_state: "3" }, false],
    ["that is read-only is a mirror", { read_only: "1" }, false],
  ])("one %s", (_, changes, isPeer) => {
    expect(observe(galera, facts({ ...synced, ...changes }))).toMatchObject({ role: "mirror", isPeer });
  });

  test.each([
    ["outside the primary component", { wsrep_cluster_status: "non-Primary" }],
    ["that is not ready", { wsrep_ready: "OFF" }],
  ])("one %s takes no statements", (_, changes) => {
    expect(() => observe(galera, facts({ ...synced, ...changes }))).toThrow(OutOfGroup);
  });
});

describe("in a Group Replication", () => {
  const member = identity({ flavour: "mysql", group: UUID });
  const primary = {
    read_only: "0",
    super_read_only: "0",
    primary_position: `${UUID}:1-9`,
    executed: `${UUID}:1-9`,
    member_state: "ONLINE",
    member_role: "PRIMARY",
    members: "3",
    members_reachable: "3",
    view: "17952690877745306:7",
    consensus_age_s: "1",
    consensus_every_s: "1",
    expel_timeout_s: "0",
    single_primary: "1",
  };

  test("its primary is the one that the group has elected, and tells its view of the group", () => {
    expect(observe(member, facts(primary))).toMatchObject({
      role: "primary",
      isWritable: true,
      systemId: `mysql ${UUID}`,
      position: `${UUID}:1-9`,
      history: `view:17952690877745306@7@${UUID}:1-9`,
      isSynchronous: true,
    });
  });

  test.each([
    ["has just joined", { consensus_age_s: null }],
    ["waits while the group looks for a member that was lost", { consensus_age_s: "11" }],
    ["waits longer, as the group gives its members more time", { consensus_age_s: "16", expel_timeout_s: "5" }],
  ])("a primary that %s is one", (_, changes) => {
    expect(observe(member, facts({ ...primary, ...changes }))).toMatchObject({ role: "primary", isWritable: true });
  });

  test.each([
    ["takes writes is a peer", {}, true],
    ["is read-only is a mirror", { super_read_only: "1" }, false],
  ])("where each member is a primary one that %s", (_, changes, isPeer) => {
    const seen = observe(member, facts({ ...primary, single_primary: "0", ...changes }));
    expect(seen).toMatchObject({ role: "mirror", isPeer, isWritable: false });
    expect(seen.history).toBeUndefined();
  });

  test.each([
    ["a secondary follows", { member_role: "SECONDARY", super_read_only: "1" }, true],
    ["a secondary that forgot to be read-only follows", { member_role: "SECONDARY" }, true],
    ["one that is recovering follows", { member_role: "SECONDARY", member_state: "RECOVERING" }, true],
    ["a secondary without quorum still answers reads", { member_role: "SECONDARY", members_reachable: "1" }, true],
    ["a primary that is read-only follows nobody", { super_read_only: "1" }, false],
  ])("%s", (_, changes, isFollowing) => {
    const seen = observe(member, facts({ ...primary, ...changes }));
    expect(seen).toMatchObject({ role: "mirror", isWritable: false, isFollowing, position: `${UUID}:1-9` });
  });

  test.each([
    ["has not joined", { member_state: "OFFLINE", member_role: "", members: "1", members_reachable: "1" }],
    ["was put out", { member_state: "ERROR", member_role: "" }],
    ["is the primary without a quorum", { members_reachable: "1" }],
    ["is the primary of half a group", { members: "4", members_reachable: "2" }],
    ["is the primary and has not been heard for as long as it takes to be put out", { consensus_age_s: "12" }],
  ])("one that %s takes no writes, whatever else it says", (_, changes) => {
    expect(() => observe(member, facts({ ...primary, ...changes }))).toThrow(OutOfGroup);
  });
});
