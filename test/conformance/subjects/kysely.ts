import { type ColumnType, type ControlledTransaction, type Kysely, sql, type Transaction } from "kysely";
import { Migrator } from "kysely/migration";
import type { Order, Scope, Subject } from "../subject.ts";

export interface Database {
  readonly orders: Order;
  readonly samples: {
    id: number;
    large: string;
    exact: string;
    moment: Date;
    document: unknown;
    bytes: Buffer;
    /** Written as JSON where there are no arrays. */
    tags: ColumnType<string[], string[] | string>;
  };
}

/**
 * What an application does with Kysely.
 * @param transactions by a callback, with savepoints as statements; or Kysely's controlled ones, with its own savepoints
 */
export function kyselySubject(
  db: Kysely<Database>,
  transactions: "callback" | "controlled",
  system: "postgres" | "mysql" = "postgres",
): Subject {
  return {
    ...statementsOf(db),
    transaction: (work) =>
      transactions === "callback"
        ? db.transaction().execute((transaction) => work(inTransaction(transaction)))
        : controlled(db, work),
    roundTrip: async ({ id, large, exact, moment, document, bytes, tags }) => {
      await db
        .insertInto("samples")
        .values({
          id,
          large: String(large),
          exact,
          moment,
          document: JSON.stringify(document),
          bytes: Buffer.from(bytes, "hex"),
          tags: system === "postgres" ? [...tags] : JSON.stringify(tags),
        })
        .execute();
      const row = await db.selectFrom("samples").selectAll().where("id", "=", id).executeTakeFirst();
      return row && { ...row, large: BigInt(row.large), bytes: row.bytes.toString("hex") };
    },
    stream: (fromId) => db.selectFrom("orders").selectAll().where("id", ">=", fromId).orderBy("id").stream(100),
    migrate: async () => {
      const { error } = await new Migrator({
        db,
        provider: { getMigrations: async () => migrations },
      }).migrateToLatest();
      if (error !== undefined) throw error;
    },
    tables: async () => (await db.introspection.getTables()).map(({ name }) => name),
    giveUp: (text, afterMs) =>
      sql.raw(text).execute(db, { signal: AbortSignal.timeout(afterMs), inflightQueryAbortStrategy: "cancel query" }),
    close: () => db.destroy(),
  };
}

const migrations = {
  "1-shelf": { up: (db: Kysely<unknown>) => db.schema.createTable("shelf").addColumn("id", "integer").execute() },
  "2-label": { up: (db: Kysely<unknown>) => db.schema.alterTable("shelf").addColumn("label", "text").execute() },
};

type Statements = Omit<Scope, "transaction">;

function statementsOf(db: Kysely<Database>): Statements {
  return {
    insert: (order) => db.insertInto("orders").values(order).execute(),
    find: (id) => db.selectFrom("orders").selectAll().where("id", "=", id).executeTakeFirst(),
    raw: async (text) => (await sql.raw<Record<string, unknown>>(text).execute(db)).rows,
  };
}

function inTransaction(db: Transaction<Database>): Scope {
  const scope: Scope = {
    ...statementsOf(db),
    transaction: async (work) => {
      await sql`savepoint inner_one`.execute(db);
      try {
        const value = await work(scope);
        await sql`release savepoint inner_one`.execute(db);
        return value;
      } catch (error) {
        await sql`rollback to savepoint inner_one`.execute(db);
        throw error;
      }
    },
  };
  return scope;
}

async function controlled<T>(db: Kysely<Database>, work: (scope: Scope) => Promise<T>): Promise<T> {
  const transaction = await db.startTransaction().execute();
  try {
    const value = await work(inControlled(transaction));
    await transaction.commit().execute();
    return value;
  } catch (error) {
    if (!transaction.isRolledBack) await transaction.rollback().execute();
    throw error;
  }
}

function inControlled(transaction: ControlledTransaction<Database>): Scope {
  return {
    ...statementsOf(transaction),
    transaction: async (work) => {
      const inner = await transaction.savepoint("inner").execute();
      try {
        const value = await work(inControlled(inner));
        await inner.releaseSavepoint("inner").execute();
        return value;
      } catch (error) {
        await inner.rollbackToSavepoint("inner").execute();
        throw error;
      }
    },
  };
}
