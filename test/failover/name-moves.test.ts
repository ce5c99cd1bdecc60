import dns from "node:dns";
import { createCluster, createFaultProxy, type FaultProxy, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterEach, beforeEach, expect, test } from "vitest";
import { countRows } from "./support/cluster.ts";
import { openPool, record } from "./support/pool.ts";
import { until } from "./support/until.ts";

/** The servers under addresses of their own at one port, and the names that lead to them. */
interface Names {
  readonly port: number;
  readonly addresses: ReadonlyMap<LabNode, string>;
  /** What the names mean at the moment. */
  readonly table: Map<string, string>;
}

/** In place of an address: there is no such name. */
const UNKNOWN = "";

let cluster: LabCluster;
let names: Names;
let proxies: FaultProxy[] = [];
const lookup = dns.lookup;

beforeEach(async () => {
  cluster = await createCluster();
  const addresses = new Map<LabNode, string>();
  let port = 0;
  for (const [index, node] of cluster.nodes.entries()) {
    const host = `127.0.0.${index + 11}`;
    const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: node.directPort }, host, port });
    port = proxy.port;
    proxies.push(proxy);
    addresses.set(node, host);
  }
  names = { port, addresses, table: new Map() };
  dns.lookup = ((name: string, ...rest: [dns.LookupOptions, (...answer: unknown[]) => void]) => {
    const address = names.table.get(name);
    if (address === undefined) return (lookup as (...all: unknown[]) => void)(name, ...rest);
    const [options, callback] = rest;
    queueMicrotask(() => {
      if (address === UNKNOWN)
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" }));
      else if (options.all) callback(null, [{ address, family: 4 }]);
      else callback(null, address, 4);
    });
  }) as typeof dns.lookup; // one of its overloads, the one that sockets use
});
afterEach(async () => {
  dns.lookup = lookup;
  for (const proxy of proxies) await proxy.close();
  proxies = [];
  await cluster.close();
});

function point(name: string, node: LabNode): void {
  names.table.set(name, names.addresses.get(node) ?? UNKNOWN);
}

function url(name: string): string {
  return `postgres://app:secret@${name}:${names.port}/app`;
}

test("a name of the primary that moves to the promoted mirror leads the pool there, when the old one is dead", async () => {
  const [old, mirror] = cluster.nodes as readonly [LabNode, LabNode];
  point("main.test", old);
  await using pool = openPool(cluster, { nodes: [{ name: "main", url: url("main.test") }] });
  await pool.query("CREATE TABLE thing (id int)");
  await cluster.caughtUp();
  await old.kill();
  await cluster.promote(mirror);
  const write = pool.query("INSERT INTO thing VALUES (1)");
  point("main.test", mirror);
  await write;
  expect(await countRows(mirror, "thing")).toBe(1);
  await until("the new primary to be known", () => pool.topology().epoch === 2);
  expect(pool.topology()).toMatchObject({ primary: "main", timeline: 2 });
});

test("a name of the primary that moves is followed while the old primary is frozen", async () => {
  const [old, mirror] = cluster.nodes as readonly [LabNode, LabNode];
  point("main.test", old);
  point("copy.test", cluster.nodes[2] as LabNode);
  const nodes = ["main", "copy"].map((name) => ({ name, url: url(`${name}.test`) }));
  await using pool = openPool(cluster, { nodes });
  await pool.query("CREATE TABLE thing (id int)");
  await cluster.caughtUp();
  await old.freeze();
  await cluster.promote(mirror);
  await until("the loss to be seen", () => pool.topology().primary === undefined);
  point("main.test", mirror);
  await pool.query("INSERT INTO thing VALUES (2)");
  await old.thaw();
  await pool.query("INSERT INTO thing VALUES (3)");
  expect(await countRows(mirror, "thing")).toBe(2);
  expect(await countRows(old, "thing")).toBe(0);
});

test("a name that moves away from an old primary that has stepped down, but still answers, is followed", async () => {
  const [old, mirror] = cluster.nodes as readonly [LabNode, LabNode];
  point("main.test", old);
  await using pool = openPool(cluster, { nodes: [{ name: "main", url: url("main.test") }] });
  const events = record(pool);
  await pool.query("CREATE TABLE thing (id int)");
  // the same address goes on answering, as a mirror
  await cluster.switchover(mirror);
  await until("the old primary to be seen as a mirror", () => pool.topology().nodes[0]?.role === "mirror");
  const write = pool.query("INSERT INTO thing VALUES (4)");
  point("main.test", mirror);
  await write;
  expect(await countRows(mirror, "thing")).toBe(1);
  expect(events.map(({ name }) => name)).toContain("primary-lost");
});

test("a name that moves between two mirrors does not disturb anybody", async () => {
  const [primary, one, other] = cluster.nodes as readonly [LabNode, LabNode, LabNode];
  point("main.test", primary);
  point("copy.test", one);
  const nodes = ["main", "copy"].map((name) => ({ name, url: url(`${name}.test`) }));
  await using pool = openPool(cluster, { nodes });
  await pool.query("CREATE TABLE thing (id int)");
  await cluster.caughtUp();
  await pool.query("SELECT count(*) FROM thing", [], { consistency: "eventual" });
  point("copy.test", other);
  await one.kill();
  for (let i = 0; i < 50; i += 1) await pool.query("SELECT count(*) FROM thing", [], { consistency: "eventual" });
  await until("the mirror to be back under its name", () => pool.topology().nodes[1]?.status === "up");
});

test("a name that nobody knows any more is a node that is down, not a hanging call", async () => {
  const [old, mirror] = cluster.nodes as readonly [LabNode, LabNode];
  point("main.test", old);
  point("copy.test", mirror);
  const nodes = ["main", "copy"].map((name) => ({ name, url: url(`${name}.test`) }));
  await using pool = openPool(cluster, { nodes });
  await pool.query("CREATE TABLE thing (id int)");
  await cluster.caughtUp();
  names.table.set("main.test", UNKNOWN);
  await old.kill();
  await cluster.promote(mirror);
  await pool.query("INSERT INTO thing VALUES (5)");
  await until("the nameless node to be down", () => pool.topology().nodes[0]?.status === "down");
  expect(pool.topology().nodes[0]).toMatchObject({ id: "main", fault: "unreachable (ENOTFOUND)" });
});
