import type { Knex } from "knex";
import type { Order, Scope, Subject } from "../subject.ts";

/** What an application does with Knex. */
export function knexSubject(db: Knex, system: "postgres" | "mysql" = "postgres"): Subject {
  const isPostgres = system === "postgres";
  return {
    ...scopeOf(db, isPostgres),
    roundTrip: async ({ id, large, exact, moment, document, bytes, tags }) => {
      await db("samples").insert({
        id,
        large: String(large),
        exact,
        moment,
        document: JSON.stringify(document),
        bytes: Buffer.from(bytes, "hex"),
        tags: isPostgres ? [...tags] : JSON.stringify(tags),
      });
      const row = await db("samples").where({ id }).first();
      return row && { ...row, large: BigInt(row.large), bytes: row.bytes.toString("hex") };
    },
    stream: (fromId) => db<Order>("orders").where("id", ">=", fromId).orderBy("id").stream(),
    migrate: () => db.migrate.latest({ migrationSource }),
    tables: async () => {
      const schema = isPostgres ? "current_schema()" : "database()";
      const rows = await db("information_schema.tables")
        .select({ name: "table_name" })
        .where({ table_schema: db.raw(schema) });
      const known = await Promise.all(
        rows.map(async ({ name }) => ({
          name,
          isThere: await db.schema.hasTable(name),
          columns: Object.keys(await db(name).columnInfo()),
        })),
      );
      return known.filter(({ isThere, columns }) => isThere && columns.length > 0).map(({ name }) => name);
    },
    giveUp: (sql, afterMs) => Promise.resolve(db.raw(sql).timeout(afterMs, { cancel: true })),
    close: () => db.destroy(),
  };
}

function scopeOf(db: Knex, isPostgres: boolean): Scope {
  return {
    insert: async (order) => await db("orders").insert(order),
    find: (id) => db<Order>("orders").where({ id }).first().then(),
    raw: async (sql) => (isPostgres ? (await db.raw(sql)).rows : (await db.raw(sql))[0]),
    transaction: (work) => db.transaction((trx) => work(scopeOf(trx, isPostgres))),
  };
}

const migrations: Readonly<Record<string, Knex.Migration>> = {
  "1-shelf": {
    up: (db) => db.schema.createTable("shelf", (table) => table.integer("id")),
    down: (db) => db.schema.dropTable("shelf"),
  },
  "2-label": {
    up: (db) => db.schema.alterTable("shelf", (table) => table.text("label")),
    down: (db) => db.schema.alterTable("shelf", (table) => table.dropColumn("label")),
  },
};

const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => Object.keys(migrations),
  getMigrationName: (name) => name,
  getMigration: async (name) => migrations[name] ?? Promise.reject(new Error(`no migration ${name}`)),
};
