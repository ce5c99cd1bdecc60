import { createPool } from "@mirrorpool/core";
import { createCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { compare, copy, follow } from "@mirrorpool/sync";
import { expect, test } from "vitest";
import { contentOf } from "./support.ts";

test.each([
  ["system", "embedded"],
  ["embedded", "system"],
] as const)(
  "from the %s version of PostgreSQL to the %s one: copied as text, compared, followed",
  async (one, other) => {
    await using source = await createCluster({ system: one, mirrors: 0, settings: { wal_level: "logical" } });
    await using target = await createCluster({ system: other, mirrors: 0 });
    await source.primary().query("ALTER ROLE app REPLICATION");
    await using from = createPool({ driver: postgres(), nodes: source.urls });
    await using to = createPool({ driver: postgres(), nodes: target.urls });
    const versions = await Promise.all([from, to].map((pool) => pool.query("SHOW server_version_num")));
    expect(versions[0]?.rows).not.toEqual(versions[1]?.rows);
    for (const pool of [from, to])
      await pool.query(
        "CREATE TABLE t (id int PRIMARY KEY, f float8, n numeric, ts timestamptz, iv interval, b bytea, a text[], j jsonb, d date)",
      );
    await from.query(`INSERT INTO t SELECT n, n / 7.0::float8, n / 7.0, now() + n * interval '1 day', n * interval '1 min', decode(md5(n::text), 'hex'),
    ARRAY[E'tab\\t', 'new\nline', NULL, '\\N', n::text], jsonb_build_object('n', n), 'infinity' FROM generate_series(1, 5000) n`);
    expect(await copy({ from, to, chunkBytes: 65_536 })).toMatchObject({ rows: 5000 });
    expect(await contentOf(to, "t")).toBe(await contentOf(from, "t"));
    expect(await compare({ from, to, recheckMs: 10 })).toMatchObject({ isEqual: true });
    await using following = await follow({ from, to, begin: "compare" });
    await from.query("UPDATE t SET a = a || 'x'::text, f = -f, iv = iv * 3.5, ts = '-infinity' WHERE id <= 100");
    await following.caughtUp({ timeoutMs: 30_000 });
    expect(await contentOf(to, "t")).toBe(await contentOf(from, "t"));
    await following.remove();
  },
);
