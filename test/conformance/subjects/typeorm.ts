import type { PostgresOptions } from "@mirrorpool/typeorm";
import type { MysqlOptions } from "@mirrorpool/typeorm/mysql";
import type { DataSource, EntityManager, MigrationInterface, QueryRunner } from "typeorm";
import { EntitySchema } from "typeorm";
import type { Gaps } from "../gaps.ts";
import { NotSupported, type Order, type Sample, type Scope, type Subject } from "../subject.ts";

const orders = new EntitySchema<Order>({
  name: "orders",
  columns: { id: { type: "int", primary: true }, item: { type: "text" } },
});

type StoredSample = Omit<Sample, "large" | "bytes"> & { large: string; bytes: Buffer };

const samplesOn = (isPostgres: boolean): EntitySchema<StoredSample> =>
  new EntitySchema<StoredSample>({
    name: "samples",
    columns: {
      id: { type: "int", primary: true },
      large: { type: "bigint" },
      exact: { type: "decimal", precision: 30, scale: 10 },
      moment: isPostgres ? { type: "timestamptz" } : { type: "datetime", precision: 3 },
      document: { type: isPostgres ? "jsonb" : "json" },
      bytes: { type: isPostgres ? "bytea" : "blob" },
      tags: isPostgres ? { type: "text", array: true } : { type: "json" },
    },
  });

const samples = samplesOn(true);
const mysqlSamples = samplesOn(false);

const migration = (name: string, sql: string): (new () => MigrationInterface) =>
  class {
    readonly name = name;
    up = (runner: QueryRunner): Promise<unknown> => runner.query(sql);
    down = async (): Promise<void> => {};
  };

/** What the data source of the application is made with, but for where the database is. */
export const typeormOptions: PostgresOptions = {
  type: "postgres",
  entities: [orders, samples],
  migrations: [
    migration("Shelf1700000000001", "CREATE TABLE shelf (id int)"),
    migration("Label1700000000002", "ALTER TABLE shelf ADD COLUMN label text"),
  ],
};

/** The same on MariaDB and MySQL. */
export const typeormMysqlOptions: MysqlOptions = {
  type: "mariadb",
  timezone: "Z",
  entities: [orders, mysqlSamples],
  migrations: typeormOptions.migrations as NonNullable<MysqlOptions["migrations"]>,
};

/** What an application does with TypeORM, on a data source that is initialized. */
export function typeormSubject(db: DataSource): Subject {
  const repository = db.getRepository<StoredSample>("samples");
  return {
    ...scopeOf(db.manager),
    roundTrip: async ({ large, bytes, ...sample }) => {
      await repository.save({ ...sample, large: String(large), bytes: Buffer.from(bytes, "hex") });
      const row = await repository.findOneBy({ id: sample.id });
      return row === null ? undefined : { ...row, large: BigInt(row.large), bytes: row.bytes.toString("hex") };
    },
    stream: (fromId) => streamed(db, fromId),
    migrate: () => db.runMigrations(),
    tables: async () => {
      const runner = db.createQueryRunner();
      try {
        return (await runner.getTables(await namesOf(db))).map(({ name }) => name.replace(/^(public|app)\./, ""));
      } finally {
        await runner.release();
      }
    },
    giveUp: async () => {
      throw new NotSupported("TypeORM has no means to give up a statement");
    },
    close: async () => {
      if (db.isInitialized) await db.destroy();
    },
  };
}

async function* streamed(db: DataSource, fromId: number): AsyncIterable<Order> {
  const stream = await db
    .getRepository(orders)
    .createQueryBuilder("o")
    .select(["o.id AS id", "o.item AS item"])
    .where("o.id >= :fromId", { fromId })
    .orderBy("o.id")
    .stream();
  yield* stream as AsyncIterable<Order>;
}

function scopeOf(manager: EntityManager): Scope {
  return {
    insert: (order) => manager.getRepository(orders).insert(order),
    find: async (id) => (await manager.getRepository(orders).findOneBy({ id })) ?? undefined,
    raw: (sql) => manager.query(sql),
    transaction: (work) => manager.transaction((inner) => work(scopeOf(inner))),
  };
}

/** What TypeORM itself cannot do, or does otherwise. */
/**
 * Where TypeORM has to be told which tables: of all that a user sees on MariaDB it finds no schema for some, with or without a
 * failover pool.
 */
async function namesOf(db: DataSource): Promise<string[] | undefined> {
  if (db.options.type === "postgres") return undefined;
  const sql = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()";
  return (await db.query<{ name: string }[]>(sql)).map(({ name }) => name);
}

export const typeormGaps: Gaps = {
  "raw-reads": { why: "TypeORM sends `query()` to its master", fails: /as the primary has it/ },
  cancel: { why: "TypeORM cannot give up a statement", fails: /no means to give up/ },
};
