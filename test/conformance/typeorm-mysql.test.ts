import { mirroredMysql } from "@mirrorpool/typeorm/mysql";
import { DataSource } from "typeorm";
import { mysqlServers } from "../failover/support/system.ts";
import { conformance } from "./conformance.ts";
import { onMysql } from "./databases/mysql.ts";
import { typeormGaps, typeormMysqlOptions, typeormSubject } from "./subjects/typeorm.ts";

for (const server of mysqlServers) {
  conformance({
    name: "TypeORM 1",
    database: onMysql(server),
    open: async (source) =>
      typeormSubject(await new DataSource(mirroredMysql(typeormMysqlOptions, source)).initialize()),
    gaps: typeormGaps,
  });
}
