import { createPool, type FailoverPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { type Following, follow, JobError } from "@mirrorpool/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contentOf, createPair, type Pair } from "./support.ts";

let pair: Pair;
let admin: FailoverPool;

beforeAll(async () => {
  pair = await createPair({ sourceMirrors: 0, settings: { wal_level: "logical" } });
  await pair.source.primary().query("ALTER ROLE app REPLICATION");
  admin = createPool({ driver: postgres(), nodes: pair.target.nodes.map(({ adminUrl }) => adminUrl) });
});
afterAll(async () => {
  await admin?.close();
  await pair?.[Symbol.asyncDispose]();
});

test("the target's own server follows, is watched, stopped, begun again and taken down", async () => {
  await pair.both("CREATE TABLE t (id serial PRIMARY KEY, body text)");
  await pair.from.query("INSERT INTO t (body) SELECT 'x' FROM generate_series(1, 1000)");
  const begin = (): Promise<Following> =>
    follow({ from: pair.from, to: admin, tables: ["t"], native: { connection: pair.source.primary().directUrl } });
  const following = await begin();
  await following.caughtUp({ timeoutMs: 30_000 });
  expect(following.stats()).toMatchObject({ state: "streaming", interruptions: 0 });
  await pair.from.query("UPDATE t SET body = 'y' WHERE id < 10");
  await following.stop();
  await pair.from.query("DELETE FROM t WHERE id = 11");
  const again = await begin();
  await again.caughtUp({ timeoutMs: 30_000 });
  expect(await contentOf(pair.to, "t")).toBe(await contentOf(pair.from, "t"));
  expect(await again.setSequences()).toBe(1);
  await again.remove();
  expect(again.stats().state).toBe("stopped");
  expect(await pair.source.primary().query("SELECT FROM pg_replication_slots")).toEqual([]);
  expect(await pair.target.primary().query("SELECT FROM pg_subscription")).toEqual([]);
});

test("a role that may not make subscriptions is told so, and a password is in no error", async () => {
  const refusal = await follow({
    from: pair.from,
    to: pair.to,
    tables: ["t"],
    native: { connection: "postgres://app:geheim@127.0.0.1:1/app" },
  }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(JobError);
  expect((refusal as JobError).message).toContain("pg_create_subscription");
  const following = await follow({
    from: pair.from,
    to: admin,
    tables: ["t"],
    native: { connection: "postgres://app:geheim@127.0.0.1:1/app" },
  });
  const error = await following.ended.catch((reason: unknown) => reason);
  expect(String(error)).not.toContain("geheim");
  expect(JSON.stringify(error)).not.toContain("geheim");
  await following.remove();
});
