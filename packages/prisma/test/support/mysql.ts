import { createPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";

const TABLES = [
  "CREATE TABLE customers (id int PRIMARY KEY AUTO_INCREMENT, email varchar(191) NOT NULL UNIQUE)",
  `CREATE TABLE invoices (
    id int PRIMARY KEY AUTO_INCREMENT, amount int NOT NULL, customer_id int NOT NULL,
    FOREIGN KEY (customer_id) REFERENCES customers (id)
  )`,
  `CREATE TABLE kinds (
    id int PRIMARY KEY AUTO_INCREMENT, flag boolean NOT NULL, tiny tinyint NOT NULL, small smallint NOT NULL,
    medium mediumint NOT NULL, \`unsigned\` int unsigned NOT NULL, large bigint unsigned NOT NULL, single float NOT NULL,
    \`double\` double NOT NULL, exact decimal(30, 10) NOT NULL, day date NOT NULL, time time(3) NOT NULL,
    moment datetime(3) NOT NULL, stamp timestamp(3) NOT NULL, year year NOT NULL, \`bit\` bit(1) NOT NULL,
    bits bit(12) NOT NULL, fixed char(4) NOT NULL, \`long\` longtext NOT NULL, shade enum('light', 'dark') NOT NULL,
    document json NOT NULL, \`binary\` varbinary(20) NOT NULL, \`blob\` longblob NOT NULL, nothing varchar(10)
  )`,
];

/** Makes the tables of this package's own tests, and the commit ledger's. */
export async function makeTables(cluster: LabCluster): Promise<void> {
  await using pool = createPool({ driver: mysql(), nodes: cluster.urls });
  for (const text of [pool.ledgerSchema(), ...TABLES]) await pool.query(text);
  await cluster.caughtUp();
}
