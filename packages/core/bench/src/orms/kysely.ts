import { mirroredPostgres } from "@mirrorpool/kysely";
import { mirroredMysql } from "@mirrorpool/kysely/mysql";
import { mysql } from "@mirrorpool/mysql2";
import { postgres } from "@mirrorpool/pg";
import { type Dialect, Kysely, MysqlDialect, PostgresDialect } from "kysely";
import { createPool } from "mysql2";
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

export const kyselyOnMysql: Orm = {
  name: "Kysely",
  plain: (uri) => application(new MysqlDialect({ pool: createPool({ uri, connectionLimit: MAX }) })),
  mirrored: (source) => application(mirroredMysql({ driver: mysql(), ...source })),
};
