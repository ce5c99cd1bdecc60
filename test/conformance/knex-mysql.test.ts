import { mirroredMysql } from "@mirrorpool/knex/mysql";
import knex from "knex";
import { mysqlServers } from "../failover/support/system.ts";
import { conformance } from "./conformance.ts";
import { onMysql } from "./databases/mysql.ts";
import { knexSubject } from "./subjects/knex.ts";

for (const server of mysqlServers) {
  conformance({
    name: "Knex 3.3",
    database: onMysql(server),
    open: (source) => knexSubject(knex({ client: mirroredMysql(source) }), "mysql"),
  });
}
