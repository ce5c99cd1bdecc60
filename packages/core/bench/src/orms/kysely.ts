import { mirroredPostgres } from "@mirrorpool/kysely";
import { postgres } from "@mirrorpool/pg";
import { type Dialect, Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Application, Order, Orm } from "./orm.ts";
import { MAX } from "./orm.ts";

function application(dialect: Dialect): Application {
  const db = new Kysely<{ orders: Order }>({ dialect });
  return {
    find: (id) => db.selectFrom("orders").selectAll().where("id", "=", id).executeTakeFirst(),
    update: async (id, item) => {
      const { numUpdatedRows } = await db.updateTable("orders").set({ item }).where("id", "=", id).executeTakeFirst();
      return Number(numUpdatedRows);
    },
    close: () => db.destroy(),
  };
}

export const kyselyOrm: Orm = {
  name: "Kysely",
  plain: (url) => application(new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: MAX }) })),
  mirrored: (source) => application(mirroredPostgres({ driver: postgres(), ...source })),
};
