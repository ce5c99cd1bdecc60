import { mirroredPostgres } from "@mirrorpool/typeorm";
import { mirroredMysql } from "@mirrorpool/typeorm/mysql";
import { DataSource, type DataSourceOptions, EntitySchema } from "typeorm";
import type { Application, Order, Orm } from "./orm.ts";
import { MAX } from "./orm.ts";

const orders = new EntitySchema<Order>({
  name: "orders",
  columns: { id: { type: Number, primary: true }, item: { type: String } },
});

const entities = [orders];

async function application(options: DataSourceOptions): Promise<Application> {
  const db = await new DataSource(options).initialize();
  const repository = db.getRepository(orders);
  return {
    find: (id) => repository.findOneBy({ id }),
    update: async (id, item) => (await repository.update({ id }, { item })).affected ?? 0,
    close: () => db.destroy(),
  };
}

export const typeorm: Orm = {
  name: "TypeORM",
  plain: (url) => application({ type: "postgres", url, poolSize: MAX, entities }),
  mirrored: (source) => application(mirroredPostgres({ type: "postgres", entities }, source)),
};

export const typeormOnMysql: Orm = {
  name: "TypeORM",
  plain: (url) => application({ type: "mysql", url, poolSize: MAX, entities }),
  mirrored: (source) => application(mirroredMysql({ type: "mysql", entities }, source)),
};
