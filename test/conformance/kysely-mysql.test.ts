import { mirroredMysql } from "@mirrorpool/kysely/mysql";
import { Kysely } from "kysely";
import { mysqlServers } from "../failover/support/system.ts";
import { conformance } from "./conformance.ts";
import { onMysql } from "./databases/mysql.ts";
import { type Database, kyselySubject } from "./subjects/kysely.ts";

for (const server of mysqlServers) {
  conformance({
    name: "Kysely 0.29",
    database: onMysql(server),
    open: (source) => kyselySubject(new Kysely<Database>({ dialect: mirroredMysql(source) }), "callback", "mysql"),
  });
}
