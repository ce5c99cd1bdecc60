import { describe, expect } from "vitest";
import { countRows } from "../../failover/support/cluster.ts";
import { rejection } from "../../failover/support/outcome.ts";
import { expectCode } from "../expect-code.ts";
import type { Check } from "../gaps.ts";
import { atRest, type Scene, type Stage } from "../stage.ts";
import type { Scope } from "../subject.ts";

/** What becomes of a transaction in which something fails, and of its connection. */
export function transactions(stage: Stage, check: Check): void {
  const count = (...ids: number[]): Promise<number> =>
    countRows(stage.cluster.primary(), "orders", `id IN (${ids.join(", ")})`);
  const sessionOf = async (scope: Scope): Promise<unknown> =>
    (await scope.raw(`SELECT ${stage.database.sessionId} AS pid`))[0]?.["pid"];
  /** Nothing is left open: the next one on the only connection works, and no connection was lost. */
  const expectIntact = async ({ subject, pool }: Scene): Promise<void> => {
    await atRest(pool);
    const id = stage.newId();
    await subject.transaction((scope) => scope.insert({ id, item: "the next one" }));
    expect(await count(id)).toBe(1);
    await atRest(pool);
    expect(pool.stats().nodes[stage.cluster.primary().name]).toMatchObject({ inUse: 0, closed: 0 });
  };

  describe("transactions", () => {
    check("nested", "a nested transaction stays on the connection, and is rolled back alone", async () => {
      await using scene = await stage.open({ pool: { max: 1 } });
      const [outer, kept, undone] = [stage.newId(), stage.newId(), stage.newId()];
      const sessions = new Set<unknown>();
      await scene.subject.transaction(async (scope) => {
        sessions.add(await sessionOf(scope));
        await scope.insert({ id: outer, item: "outer" });
        await scope.transaction(async (inner) => {
          sessions.add(await sessionOf(inner));
          await inner.insert({ id: kept, item: "kept" });
        });
        const failed = scope.transaction(async (inner) => {
          await inner.insert({ id: undone, item: "undone" });
          throw new Error("changed my mind");
        });
        expect(String(await rejection(failed))).toContain("changed my mind");
        sessions.add(await sessionOf(scope));
      });
      expect(sessions.size).toBe(1);
      expect(await count(outer, kept)).toBe(2);
      expect(await count(undone)).toBe(0);
      await expectIntact(scene);
    });

    check(
      "error-in-transaction",
      "an error of the database rolls the transaction back, and costs no connection",
      async () => {
        await using scene = await stage.open({ pool: { max: 1 } });
        const id = stage.newId();
        const failed = scene.subject.transaction(async (scope) => {
          await scope.insert({ id, item: "first" });
          await scope.insert({ id, item: "second" });
        });
        expect(await rejection(failed)).toBeInstanceOf(Error);
        expect(await count(id)).toBe(0);
        await expectIntact(scene);
      },
    );

    check("error-in-nested", "after an error inside a nested transaction the outer one goes on", async () => {
      await using scene = await stage.open({ pool: { max: 1 } });
      const [first, last] = [stage.newId(), stage.newId()];
      const sessions = new Set<unknown>();
      await scene.subject.transaction(async (scope) => {
        sessions.add(await sessionOf(scope));
        await scope.insert({ id: first, item: "first" });
        const failed = scope.transaction((inner) => inner.insert({ id: first, item: "again" }));
        expect(await rejection(failed)).toBeInstanceOf(Error);
        await scope.insert({ id: last, item: "last" });
        sessions.add(await sessionOf(scope));
      });
      expect(sessions.size).toBe(1);
      expect(await count(first, last)).toBe(2);
      await expectIntact(scene);
    });

    check(
      "swallowed-error",
      stage.database.errorsAbort
        ? "a COMMIT that the database answers with ROLLBACK is an error"
        : "after an error that was swallowed the rest is committed",
      async () => {
        await using scene = await stage.open({ pool: { max: 1 } });
        const id = stage.newId();
        const done = scene.subject.transaction(async (scope) => {
          await scope.insert({ id, item: "first" });
          await scope.insert({ id, item: "refused" }).catch(() => {});
        });
        if (stage.database.errorsAbort) expectCode(await rejection(done), "TRANSACTION_ABORTED");
        else await done;
        expect(await count(id)).toBe(stage.database.errorsAbort ? 0 : 1);
        await expectIntact(scene);
      },
    );

    // elsewhere constraints are checked at once
    if (!stage.database.errorsAbort) return;
    check("constraint-at-commit", "a constraint that fails at COMMIT is the database's error", async () => {
      await using scene = await stage.open({ pool: { max: 1 } });
      const [id, seat] = [stage.newId(), stage.newId()];
      const failed = scene.subject.transaction(async (scope) => {
        await scope.insert({ id, item: "with a seat" });
        await scope.raw(`INSERT INTO seats VALUES (${seat}), (${seat})`);
      });
      expectCode(await rejection(failed), stage.database.uniqueViolation);
      expect(await count(id)).toBe(0);
      await expectIntact(scene);
    });
  });
}
