import { createPool } from "@mirrorpool/mysql2";
import { mysqlServers } from "../failover/support/system.ts";
import { conformance } from "./conformance.ts";
import { onMysql } from "./databases/mysql.ts";
import { mysql2Subject } from "./subjects/mysql2.ts";

for (const server of mysqlServers) {
  conformance({
    name: "the drop-in for mysql2",
    database: onMysql(server),
    open: (mirrorpool) => mysql2Subject(createPool({ mirrorpool }).promise()),
  });
}
