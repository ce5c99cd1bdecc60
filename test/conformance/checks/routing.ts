import type { Statement } from "@mirrorpool/core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { mend } from "../../failover/support/cluster.ts";
import type { Check } from "../gaps.ts";
import { EVENTUAL, type Stage } from "../stage.ts";

/** An order that says by itself who answered: the mirrors, which lag, still have the old item. */
const WITNESS = 1;
const ON_MIRRORS = { id: WITNESS, item: "as the mirrors have it" };
const ON_PRIMARY = { id: WITNESS, item: "as the primary has it" };

/** Where statements go, seen by their own answers: the mirrors lag on purpose. */
export function routing(stage: Stage, check: Check): void {
  /** A table that this process knows nothing of: made by somebody else, and not on the mirrors. */
  const makeTable = async (): Promise<string> => {
    const name = `made_${stage.newId()}`;
    await stage.cluster.primary().query(stage.database.makeTable(name));
    return name;
  };

  describe("on mirrors that lag", () => {
    beforeAll(async () => {
      const primary = stage.cluster.primary();
      await primary.query(stage.database.putOrder(WITNESS, ON_MIRRORS.item));
      await stage.cluster.caughtUp();
      for (const mirror of stage.cluster.mirrors()) await mirror.lag(true);
      await primary.query(stage.database.putOrder(WITNESS, ON_PRIMARY.item));
    });
    afterAll(() => mend(stage.cluster));

    check("reads", "a read of the query builder is answered by a mirror", async () => {
      await using scene = await stage.open(EVENTUAL);
      expect(await scene.subject.find(WITNESS)).toEqual(ON_MIRRORS);
    });

    check("shared-reads", "a read of the query builder may share its connection with those of others", async () => {
      const driver = stage.database.driver();
      const unshared: string[] = [];
      let asked = 0;
      const mayPipeline = (statement: Statement): boolean => {
        asked += 1;
        const may = driver.mayPipeline?.(statement) === true;
        if (!may) unshared.push(statement.text);
        return may;
      };
      await using scene = await stage.open({ ...EVENTUAL, driver: { ...driver, mayPipeline } });
      expect(await scene.subject.find(WITNESS)).toEqual(ON_MIRRORS);
      expect(asked).toBeGreaterThan(0);
      expect(unshared).toEqual([]);
    });

    check("raw-reads", "a read written by hand is answered by a mirror", async () => {
      await using scene = await stage.open(EVENTUAL);
      expect(await scene.subject.raw(`SELECT item FROM orders WHERE id = ${WITNESS}`)).toEqual([
        { item: ON_MIRRORS.item },
      ]);
    });

    check("streamed-reads", "a stream is answered by a mirror", async () => {
      await using scene = await stage.open(EVENTUAL);
      for await (const order of scene.subject.stream(WITNESS)) {
        expect(order).toEqual(ON_MIRRORS);
        break;
      }
    });

    check("locking-reads", "a read that locks is answered by the primary", async () => {
      await using scene = await stage.open();
      const rows = await scene.subject.raw(`SELECT item FROM orders WHERE id = ${WITNESS} FOR UPDATE`);
      expect(rows).toEqual([{ item: ON_PRIMARY.item }]);
      expect(scene.pool.stats().misrouted).toBe(0);
    });

    check("writes", "a write goes to the primary at once, not after a mirror has refused it", async () => {
      await using scene = await stage.open();
      const id = stage.newId();
      await scene.subject.insert({ id, item: "written" });
      expect(await stage.cluster.primary().query(`SELECT item FROM orders WHERE id = ${id}`)).toEqual([
        { item: "written" },
      ]);
      expect(scene.pool.stats().misrouted).toBe(0);
    });

    check("raw-writes", "a write that looks like a read goes to the primary", async () => {
      await using scene = await stage.open();
      const id = stage.newId();
      expect(await scene.subject.raw(stage.database.rawWrite(id))).toEqual([{ id }]);
      expect(scene.pool.stats().misrouted).toBe(0);
    });

    check("read-your-writes", "a read after a write, or after a transaction, sees what was written", async () => {
      await using scene = await stage.open();
      const { subject } = scene;
      for (let i = 0; i < 10; i += 1) {
        const order = { id: stage.newId(), item: `mine ${i}` };
        if (i % 2 === 0) await subject.insert(order);
        else await subject.transaction((scope) => scope.insert(order));
        expect(await subject.find(order.id)).toEqual(order);
      }
    });

    check(
      "contexts",
      "of many at once, each context sees its own writes, and need not see those of the others",
      async () => {
        const routing = { consistency: "context", maxLagMs: 3_600_000 } as const;
        await using scene = await stage.open({ routing, pool: { max: 2 } });
        const { subject, pool } = scene;
        const requests = Array.from({ length: 10 }, (_, index) =>
          pool.inContext(async () => {
            const order = { id: stage.newId(), item: "its own" };
            if (index % 2 === 0) await subject.insert(order);
            else expect(await subject.find(WITNESS)).toEqual(ON_MIRRORS);
            expect(await subject.find(order.id)).toEqual(index % 2 === 0 ? order : undefined);
          }),
        );
        await Promise.all(requests);
      },
    );

    check("transaction", "a transaction runs on one connection to the primary, its reads as well", async () => {
      await using scene = await stage.open();
      const id = stage.newId();
      const sessions = new Set<unknown>();
      const seen = await scene.subject.transaction(async (scope) => {
        const before = await scope.find(WITNESS);
        for (let i = 0; i < 2; i += 1) {
          const [row] = await scope.raw(`SELECT ${stage.database.sessionId} AS pid`);
          sessions.add(row?.["pid"]);
          if (i === 0) await scope.insert({ id, item: "in a transaction" });
        }
        return before;
      });
      expect(seen).toEqual(ON_PRIMARY);
      expect(sessions.size).toBe(1);
      expect(await scene.subject.find(id)).toEqual({ id, item: "in a transaction" });
    });

    check("catalogue-reads", "a read of the catalogue sees a table that the mirrors do not have yet", async () => {
      await using scene = await stage.open();
      const table = await makeTable();
      const sql = `SELECT table_name AS table_name FROM information_schema.tables WHERE table_name = '${table}'`;
      expect(await scene.subject.raw(sql)).toEqual([{ table_name: table }]);
    });

    check("introspection", "so does the ORM's own introspection", async () => {
      await using scene = await stage.open();
      const table = await makeTable();
      expect(await scene.subject.tables()).toContain(table);
    });

    check("migrations", "migrations run, and are known to have run, whatever the mirrors have of them", async () => {
      const primary = stage.cluster.primary();
      const before = await tablesOn(stage);
      try {
        for (let run = 0; run < 2; run += 1) {
          await using scene = await stage.open();
          await scene.subject.migrate();
          await scene.subject.migrate();
          expect(await columnsOfShelf(stage)).toEqual(["id", "label"]);
        }
      } finally {
        for (const table of await tablesOn(stage)) {
          if (!before.includes(table)) await primary.query(stage.database.dropTable(table));
        }
      }
    });
  });
}

async function tablesOn(stage: Stage): Promise<readonly string[]> {
  const rows = await stage.cluster.primary().query<{ name: string }>(stage.database.tables);
  return rows.map(({ name }) => name);
}

async function columnsOfShelf(stage: Stage): Promise<readonly string[]> {
  const rows = await stage.cluster
    .primary()
    .query<{ name: string }>(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'shelf' ORDER BY ordinal_position",
    );
  return rows.map(({ name }) => name);
}
