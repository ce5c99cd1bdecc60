import { postgres } from "@mirrorpool/pg";
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/postgres";
import { expect, test } from "vitest";

interface Database {
  readonly person: { id: number; name: string; born: Date | null };
  readonly pet: { id: number; owner: number; name: string };
}

const db = new Kysely<Database>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (each) => new PostgresIntrospector(each),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});
const { inspect } = postgres();
const people = db.selectFrom("person");

const reads: Readonly<Record<string, { compile(): CompiledQuery }>> = {
  "a select": people.selectAll().where("name", "=", "x"),
  "a join": people.innerJoin("pet", "pet.owner", "person.id").select(["person.id", "pet.name"]),
  aggregates: people.select(({ fn }) => [fn.countAll().as("n"), fn.max("id").as("last"), fn.coalesce("born").as("b")]),
  "a window": people.select(({ fn }) =>
    fn
      .agg<number>("row_number")
      .over((o) => o.orderBy("id"))
      .as("n"),
  ),
  "groups, order, limits": people.select("name").groupBy("name").having("name", ">", "a").orderBy("name").limit(3),
  "a subquery": people.selectAll().where("id", "in", db.selectFrom("pet").select("owner")),
  "a common table expression": db
    .with("old", () => people.selectAll())
    .selectFrom("old")
    .selectAll(),
  "a recursive one": db
    .withRecursive("n(i)", (q) => q.selectNoFrom(sql<number>`1`.as("i")).unionAll(q.selectFrom("n").select("n.i")))
    .selectFrom("n")
    .selectAll(),
  "a union": people.select("name").union(db.selectFrom("pet").select("name")),
  "related rows as JSON": people.select((eb) => [
    "id",
    jsonArrayFrom(eb.selectFrom("pet").selectAll().whereRef("owner", "=", "person.id")).as("pets"),
    jsonObjectFrom(eb.selectFrom("pet").select("name").whereRef("owner", "=", "person.id").limit(1)).as("first"),
  ]),
  "case and cast": people.select((eb) => eb.case().when("id", ">", 1).then(eb.cast("id", "text")).end().as("c")),
  "a raw expression": people.select(sql<string>`lower(name)`.as("name")),
};

const writes: Readonly<Record<string, { compile(): CompiledQuery }>> = {
  "an insert": db.insertInto("person").values({ id: 1, name: "x", born: null }),
  "an update with returning": db.updateTable("person").set({ name: "x" }).where("id", "=", 1).returningAll(),
  "a delete": db.deleteFrom("person"),
  "a merge": db.mergeInto("person").using("pet", "pet.owner", "person.id").whenMatched().thenDelete(),
  "a select that locks": people.selectAll().forUpdate().skipLocked(),
  "a select that shares a lock": people.selectAll().forShare(),
  "a common table expression that deletes": db
    .with("gone", (q) => q.deleteFrom("person").returningAll())
    .selectFrom("gone")
    .selectAll(),
  "a function that is not known": people.select(({ fn }) => fn<number>("pay", ["id"]).as("paid")),
  "a function of a schema": people.select(({ fn }) => fn<number>("billing.pay", ["id"]).as("paid")),
  "a raw expression that writes": people.select(sql<number>`nextval('seq')`.as("n")),
  "a lock in a raw expression": db.selectNoFrom(sql`pg_advisory_xact_lock(1)`.as("locked")),
  "a definition": db.schema.createTable("x").addColumn("id", "integer"),
  "a read of a migration table": db.selectFrom("kysely_migration" as "person").selectAll(),
  "a read of the catalogue": db
    .withSchema("pg_catalog")
    .selectFrom("pg_class" as "person")
    .selectAll(),
  "a read of the information schema": db.withSchema("information_schema").selectFrom("person").selectAll(),
};

test.each(Object.entries(reads))("mirrors may answer %s", (_, query) => {
  expect(inspect(query.compile().sql)).toMatchObject({ intent: "read", session: "none" });
});

test.each(Object.entries(writes))("the primary answers %s", (_, query) => {
  expect(inspect(query.compile().sql)).toMatchObject({ intent: "write" });
});
