import { describe, expect } from "vitest";
import { whereRuns } from "../../failover/support/cluster.ts";
import { settle } from "../../failover/support/outcome.ts";
import { until } from "../../failover/support/until.ts";
import type { Check } from "../gaps.ts";
import type { Stage } from "../stage.ts";

/** What closing the ORM closes. */
export function shutdown(stage: Stage, check: Check): void {
  const sessions = async (applicationName: string): Promise<number> => {
    const text = stage.database.sessions(applicationName);
    const counts = stage.cluster.nodes.map(async (node) => {
      const [row] = await node.query<{ count: number | string }>(text);
      return Number(row?.count ?? 0);
    });
    return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
  };

  describe("closing", () => {
    check(
      "own-pool",
      "an ORM that made its pool lets what is under way end, and leaves no session open on any server",
      async () => {
        const applicationName = `alone-${stage.newId()}`;
        const subject = await stage.openAlone({ applicationName });
        const order = { id: stage.newId(), item: "alone" };
        await subject.insert(order);
        expect(await subject.find(order.id)).toEqual(order);
        await subject.transaction((scope) => scope.find(order.id));
        const last = settle(subject.raw(`SELECT 'one' AS one, ${stage.database.sleep(1.5)} AS last_one`));
        await whereRuns(stage.cluster.nodes, "last_one");
        await subject.close();
        expect(await last).toMatchObject({ value: [{ one: "one" }], error: undefined });
        await until("the sessions to end", async () => (await sessions(applicationName)) === 0);
      },
    );

    check("shared-pool", "an ORM that was given a pool leaves it open for the others", async () => {
      await using scene = await stage.open();
      await scene.subject.find(stage.newId());
      await scene.subject.close();
      expect((await scene.pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    });
  });
}
