import type { LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, describe } from "vitest";
import { data } from "./checks/data.ts";
import { faults } from "./checks/faults.ts";
import { limits } from "./checks/limits.ts";
import { routing } from "./checks/routing.ts";
import { shutdown } from "./checks/shutdown.ts";
import { transactions } from "./checks/transactions.ts";
import type { Database } from "./database.ts";
import { onPostgres } from "./databases/postgres.ts";
import { checkWith, type Gaps } from "./gaps.ts";
import { bootCluster, Stage } from "./stage.ts";
import type { OpenSubject } from "./subject.ts";

/** An adapter, as the suite needs to know it. */
export interface Conformance {
  /** The ORM and its version, for the report. */
  readonly name: string;
  readonly open: OpenSubject;
  /** Default: PostgreSQL. */
  readonly database?: Database;
  /** What it cannot do. Each gap is asserted: its check must fail as declared. */
  readonly gaps?: Gaps;
}

/**
 * The one suite that every adapter and drop-in passes, on a real cluster, with the commit ledger off and on. To be called at
 * the top of a test file.
 */
export function conformance({ name, open, database = onPostgres, gaps = {} }: Conformance): void {
  let cluster: LabCluster | undefined;
  let lastId = 1000;
  describe(`${name} on ${database.server}`, () => {
    beforeAll(async () => {
      cluster = await bootCluster(database);
    }, 120_000);
    afterAll(() => cluster?.close());

    describe.each([false, true])("exactlyOnce: %s", (exactlyOnce) => {
      const check = checkWith(gaps, exactlyOnce);
      const running = (): LabCluster => {
        if (cluster === undefined) throw new Error("the cluster did not start");
        return cluster;
      };
      const stage = new Stage(open, database, exactlyOnce, running, () => ++lastId);
      for (const group of [routing, transactions, data, limits, faults, shutdown]) group(stage, check);
    });
  });
}
