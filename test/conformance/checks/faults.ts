import type { LabNode } from "@mirrorpool/lab";
import { afterEach, describe, expect } from "vitest";
import { anyMirror, countRows, mend } from "../../failover/support/cluster.ts";
import { settle } from "../../failover/support/outcome.ts";
import { until } from "../../failover/support/until.ts";
import { expectCode } from "../expect-code.ts";
import type { Check } from "../gaps.ts";
import { whereHeld } from "../gate.ts";
import { HELD, HELD_AT_COMMIT } from "../orders.ts";
import { atRest, EVENTUAL, type Stage } from "../stage.ts";

/** `kill -9` at each moment that matters, a freeze, a handover: what the application sees, and what is in the database then. */
export function faults(stage: Stage, check: Check): void {
  const count = (...ids: number[]): Promise<number> =>
    countRows(stage.cluster.primary(), "orders", `id IN (${ids.join(", ")})`);
  const promote = async (): Promise<LabNode> => {
    const next = await stage.cluster.mostAdvancedMirror();
    await stage.cluster.promote(next);
    return next;
  };

  describe("faults", () => {
    afterEach(() => mend(stage.cluster));

    check("killed-while-idle", "a primary killed while nothing is under way costs nothing but time", async () => {
      await using scene = await stage.open();
      const [before, after] = [stage.newId(), stage.newId()];
      await scene.subject.insert({ id: before, item: "before" });
      await scene.subject.find(before);
      await stage.cluster.primary().kill();
      const write = scene.subject.transaction((scope) => scope.insert({ id: after, item: "after" }));
      await promote();
      await write;
      expect(await scene.subject.find(before)).toEqual({ id: before, item: "before" });
      expect(await count(before, after)).toBe(2);
    });

    check("killed-in-read", "a read whose node is killed is answered by another one", async () => {
      const id = stage.newId();
      await stage.cluster.primary().query(stage.database.putOrder(id, "read"));
      await stage.cluster.caughtUp();
      await using scene = await stage.open(EVENTUAL);
      const gate = await stage.database.holdReads(stage.cluster);
      const read = settle(scene.subject.find(id));
      await (await whereHeld(stage.database, stage.cluster.mirrors())).kill();
      await gate.open();
      expect(await read).toMatchObject({ value: { id, item: "read" }, error: undefined });
      expect(scene.pool.stats().reruns).toBeGreaterThanOrEqual(1);
    });

    check(
      "killed-in-write",
      stage.exactlyOnce
        ? "a write whose primary is killed under it has exactly one effect"
        : "a write whose primary is killed under it is of unknown fate, and never run again",
      async () => {
        await using scene = await stage.open();
        const id = stage.newId();
        const gate = await stage.database.holdWrites(stage.cluster.primary());
        const write = settle(scene.subject.insert({ id, item: HELD }));
        await (await whereHeld(stage.database, [stage.cluster.primary()])).kill();
        await gate.open();
        await promote();
        const { error } = await write;
        if (stage.exactlyOnce) expect(error).toBeUndefined();
        else expectCode(error, "COMMIT_UNKNOWN");
        expect(await count(id)).toBe(stage.exactlyOnce ? 1 : 0);
        await atRest(scene.pool);
      },
    );

    check("killed-in-transaction", "a transaction whose primary is killed goes on, on the new one", async () => {
      await using scene = await stage.open();
      const [before, after] = [stage.newId(), stage.newId()];
      let runs = 0;
      await scene.subject.transaction(async (scope) => {
        runs += 1;
        await scope.insert({ id: before, item: "before" });
        await stage.cluster.primary().kill();
        await promote();
        expect(await scope.find(before)).toEqual({ id: before, item: "before" });
        await scope.insert({ id: after, item: "after" });
      });
      expect(runs).toBe(1);
      expect(await count(before, after)).toBe(2);
      expect(scene.pool.stats().replays).toBe(1);
    });

    check(
      "killed-in-commit",
      stage.exactlyOnce
        ? "a COMMIT whose primary is killed under it is settled: exactly one effect"
        : "a COMMIT whose primary is killed under it is of unknown fate, and not hidden by what the ORM does then",
      async () => {
        await using scene = await stage.open();
        const [id, next] = [stage.newId(), stage.newId()];
        const gate = await stage.database.holdCommits(stage.cluster);
        const write = settle(scene.subject.transaction((scope) => scope.insert({ id, item: HELD_AT_COMMIT })));
        await (await whereHeld(stage.database, [stage.cluster.primary()])).kill();
        await gate.open();
        // without a ledger there is nothing to wait for: the caller is told while there is no primary yet
        if (!stage.exactlyOnce) expectCode((await write).error, "COMMIT_UNKNOWN");
        await promote();
        expect((await write).error === undefined).toBe(stage.exactlyOnce);
        expect(await count(id)).toBe(stage.exactlyOnce ? 1 : 0);
        await scene.subject.insert({ id: next, item: "next" });
        expect(await count(next)).toBe(1);
        await atRest(scene.pool);
      },
    );

    check("freeze", "a primary that freezes is left, and what comes then goes to the new one alone", async () => {
      await using scene = await stage.open();
      const old = stage.cluster.primary();
      const id = stage.newId();
      await scene.subject.find(id);
      await old.freeze();
      await until("the pool to notice", () => scene.pool.topology().primary === undefined);
      const write = scene.subject.insert({ id, item: "after the freeze" });
      await promote();
      await write;
      expect(await scene.subject.find(id)).toEqual({ id, item: "after the freeze" });
      await old.thaw();
      expect(await countRows(old, "orders", `id = ${id}`)).toBe(0);
      expect(await count(id)).toBe(1);
    });

    check("promotion", "a planned handover of the primary costs no error and loses nothing", async () => {
      await using scene = await stage.open();
      const ids: number[] = [];
      let isOver = false;
      const work = (async () => {
        while (!isOver) {
          const id = stage.newId();
          if (id % 2 === 0) await scene.subject.insert({ id, item: "written" });
          else await scene.subject.transaction((scope) => scope.insert({ id, item: "written" }));
          expect(await scene.subject.find(id)).toEqual({ id, item: "written" });
          ids.push(id);
        }
      })();
      const to = anyMirror(stage.cluster).name;
      await scene.pool.switchover({ to, promote: async () => void (await stage.cluster.switchover(to)) });
      const written = ids.length;
      await until("work to go on", () => ids.length > written);
      isOver = true;
      await work;
      expect(await count(...ids)).toBe(ids.length);
    });

    check("mirror-loss", "a mirror that is killed costs no read", async () => {
      await using scene = await stage.open();
      const id = stage.newId();
      await scene.subject.insert({ id, item: "kept" });
      let answered = 0;
      let isOver = false;
      const readers = Array.from({ length: 3 }, async () => {
        while (!isOver) {
          expect(await scene.subject.find(id)).toEqual({ id, item: "kept" });
          answered += 1;
        }
      });
      const more = (): Promise<unknown> => {
        const before = answered;
        return until("reads to be answered", () => answered > before + 20);
      };
      const reading = Promise.all(readers);
      await Promise.race([more(), reading]);
      await anyMirror(stage.cluster).kill();
      await Promise.race([more(), reading]);
      isOver = true;
      await reading;
      await atRest(scene.pool);
    });
  });
}
