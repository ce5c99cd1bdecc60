import { describe, expect, test } from "vitest";
import type { Identity } from "../src/identity.ts";
import { type Facts, observe } from "../src/observe.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

const identity = (changes: Partial<Identity> = {}): Identity => ({
  flavour: "mariadb",
  server: "1",
  instance: "1/host/3306/100",
  group: undefined,
  isGalera: false,
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
    wsrep_local_index: "0",
    wsrep_cluster_state_uuid: UUID,
    wsrep_last_committed: "17",
    wsrep_cluster_conf_id: "3",
  };

  test("the first of those that agree is the primary", () => {
    expect(observe(galera, facts(synced))).toMatchObject({
      role: "primary",
      systemId: `mariadb ${UUID}`,
      position: `wsrep:${UUID}:17`,
      history: `wsrep:${UUID}@3`,
      isSynchronous: true,
    });
    expect(observe(galera, facts({ ...synced, wsrep_local_index: "1" })).role).toBe("mirror");
  });

  test.each([
    ["one that is catching up", { wsrep_local_state: "2" }],
    ["one that is not ready", { wsrep_ready: "OFF" }],
  ])("%s is neither primary nor fresh", (_, changes) => {
    expect(observe(galera, facts({ ...synced, ...changes }))).toMatchObject({ role: "mirror", position: undefined });
  });
});

test("servers that replicate from each other have no name in common, members of a group do", () => {
  const systemId = (changes: Partial<Identity>) => observe(identity(changes), facts({ read_only: "0" })).systemId;
  expect(systemId({ flavour: "mysql" })).toBe("mysql");
  expect(systemId({ flavour: "mysql", group: UUID })).toBe(`mysql ${UUID}`);
});
