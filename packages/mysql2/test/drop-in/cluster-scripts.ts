import type mysql2 from "mysql2";
import type promises from "mysql2/promise";
import { called, type Kit, type Log, type Script, settled } from "./scripts.ts";

/** Under which name the connection was asked for. */
const nameOf = (connection: unknown): unknown => (connection as { readonly _clusterId: unknown })._clusterId;

type Namespace = Pick<mysql2.PoolNamespace, "getConnection">;

/** The names of so many connections, each given back before the next. */
async function names(pools: Namespace, count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (let i = 0; i < count; i += 1) {
    const connection = await new Promise<mysql2.PoolConnection>((resolve, reject) =>
      pools.getConnection((error, given) => (error ? reject(error) : resolve(given as mysql2.PoolConnection))),
    );
    seen.push(nameOf(connection));
    connection.release();
  }
  return seen;
}

/** A cluster of three names, ended at the end. */
const clustered =
  (script: (cluster: mysql2.PoolCluster, log: Log, kit: Kit) => Promise<unknown>, options = {}): Script =>
  async (kit, log) => {
    const cluster = kit.mysql.createPoolCluster(options);
    for (const event of ["online", "offline", "remove", "warn"]) cluster.on(event, (...given) => log(event, ...given));
    for (const name of ["MASTER", "SLAVE1", "SLAVE2"]) cluster.add(name, kit.at);
    try {
      await script(cluster, log, kit);
    } finally {
      log(await called((done) => cluster.end(done as never)));
    }
  };

/** What applications do with a cluster of pools. */
export const clusterScripts: Readonly<Record<string, Script>> = {
  "patterns of a cluster": clustered(async (cluster, log) => {
    for (const pattern of ["*", "MASTER", "SLAVE1", "SLAVE*"]) log(await names(cluster.of(pattern, "ORDER"), 2));
    const slaves = cluster.of("SLAVE*");
    log(slaves === cluster.of("SLAVE*"), cluster.of("SLAVE*", "RR") === cluster.of("SLAVE*", "ORDER"));
    log(await called((done) => cluster.getConnection("NOBODY", done)));
    log(await called((done) => cluster.of("NOBODY*").getConnection(done)));
  }),
  "selectors of a cluster": clustered(async (cluster, log) => {
    log(await names(cluster.of("SLAVE*", "RR"), 5), await names(cluster.of("SLAVE*"), 3));
    log(await names(cluster.of("SLAVE*", "ORDER"), 3));
    const random = await names(cluster.of("SLAVE*", "RANDOM"), 10);
    log(random.every((name) => name === "SLAVE1" || name === "SLAVE2"));
  }),
  "a default selector": clustered(async (cluster, log) => log(await names(cluster.of("SLAVE*"), 3)), {
    defaultSelector: "ORDER",
  }),
  "every form of getConnection of a cluster": clustered(async (cluster, log) => {
    for (const form of [[], ["SLAVE1"], ["SLAVE*", "ORDER"]] as [][]) {
      const [error, connection] = (await called((done) => cluster.getConnection(...form, done as never))) as [
        unknown,
        mysql2.PoolConnection,
      ];
      log(error, nameOf(connection), await connection.promise().query("SELECT 1 AS one"));
      connection.release();
    }
  }),
  "queries of a cluster": clustered(async (cluster, log) => {
    log(await called((done) => cluster.of("SLAVE*").query("SELECT ? AS one", [1], done)));
    log(await called((done) => cluster.of("SLAVE*").query("SELECT 1 AS one", done)));
    log(await called((done) => cluster.of("*").execute("SELECT ? + 0 AS one", [1], done)));
    log(await called((done) => cluster.of("MASTER").query("INSERT INTO product VALUES (100, 'x')", done)));
    log(await called((done) => cluster.of("SLAVE*").query("SELECT * FROM product WHERE id = 100", done)));
    log(await called((done) => cluster.of("SLAVE*").query("SELEC 1", done)));
    log(await called((done) => cluster.of("NOBODY").query("SELECT 1", done)));
  }),
  "a transaction on a cluster": clustered(async (cluster, log) => {
    const [, connection] = (await called((done) => cluster.getConnection("MASTER", done))) as [
      unknown,
      mysql2.PoolConnection,
    ];
    const promise = connection.promise();
    await promise.beginTransaction();
    log(await promise.query("INSERT INTO product VALUES (101, 'x')"));
    await promise.rollback();
    log(await promise.query("SELECT count(*) AS n FROM product"));
    connection.release();
  }),
  "names that are removed before the first connection": async ({ mysql, at }, log) => {
    const cluster = mysql.createPoolCluster();
    cluster.on("remove", (name) => log("remove", name));
    for (const name of ["MASTER", "SLAVE1", "SLAVE2"]) cluster.add(name, at);
    cluster.add("MASTER", at);
    cluster.remove("SLAVE1");
    log(await names(cluster.of("SLAVE*", "RR"), 2));
    log(await called((done) => cluster.getConnection("SLAVE1", done)));
    log(await called((done) => cluster.end(done as never)));
  },
  "a cluster that has ended": async ({ mysql, at }, log) => {
    const cluster = mysql.createPoolCluster();
    cluster.add("MASTER", at);
    await called((done) => cluster.end(done as never));
    await called((done) => cluster.end(done as never));
    const [error] = (await called((done) => cluster.getConnection("MASTER", done))) as unknown[];
    log(error instanceof Error);
  },
  "a cluster of names that nobody gave": async ({ mysql, at }, log) => {
    const cluster = mysql.createPoolCluster();
    cluster.add(at as never);
    log(await called((done) => cluster.of("*").query("SELECT 1 AS one", done)));
    log(await called((done) => cluster.end(done as never)));
  },
  "a cluster by promise": async ({ promises: library, at }, log) => {
    const cluster: promises.PoolCluster = library.createPoolCluster();
    for (const name of ["MASTER", "SLAVE1"]) cluster.add(name, at);
    const connection = await cluster.getConnection("SLAVE1");
    log(await connection.query("SELECT 1 AS one"));
    connection.release();
    const pools = cluster.of("SLAVE*", "ORDER");
    log(await pools.query("SELECT ? AS one", [1]), await pools.execute("SELECT ? + 0 AS one", [1]));
    const another = await pools.getConnection();
    log(await another.query("SELECT 2 AS two"));
    another.release();
    log(await settled(pools.query("SELEC 1")), await settled(cluster.getConnection("NOBODY")));
    await cluster.end();
  },
};
