import { mirroredPostgres } from "@mirrorpool/knex";
import { mirroredMysql } from "@mirrorpool/knex/mysql";
import knex from "knex";
import type { Application, Order, Orm } from "./orm.ts";
import { MAX } from "./orm.ts";

function application(db: knex.Knex): Application {
  return {
    find: async (id) => await db<Order>("orders").where({ id }).first(),
    update: async (id, item) => await db<Order>("orders").where({ id }).update({ item }),
    close: () => db.destroy(),
  };
}

const pool = { max: MAX };

export const knexOrm: Orm = {
  name: "Knex",
  plain: (url) => application(knex({ client: "pg", connection: url, pool })),
  mirrored: (source) => application(knex({ client: mirroredPostgres(source), pool })),
};

export const knexOnMysql: Orm = {
  name: "Knex",
  plain: (url) => application(knex({ client: "mysql2", connection: url, pool })),
  mirrored: (source) => application(knex({ client: mirroredMysql(source), pool })),
};
