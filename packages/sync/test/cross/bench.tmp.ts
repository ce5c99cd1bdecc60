import { openPlace } from "./support.ts";
await using m = await openPlace("mariadb");
await using y = await openPlace("mysql");
for (const q of [m, y]) await q.run("CREATE TABLE t (id int primary key auto_increment, a varchar(200), b longtext, c double, d datetime(6), e decimal(20,4)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
 "INSERT INTO t (a,b,c,d,e) VALUES ('hello world hello world', REPEAT('some text ä ', 8), 1.5, now(6), 12.5)", ...Array.from({length: 17}, () => "INSERT INTO t (a,b,c,d,e) SELECT a,b,c,d,e FROM t"));
const r = (x: string) => `REPLACE(REPLACE(REPLACE(REPLACE(${x}, '\\\\', '\\\\\\\\'), '\\t', '\\\\t'), '\\n', '\\\\n'), '\\r', '\\\\r')`;
const time = async (name: string, pool: any, sql: string) => { const t = performance.now(); await pool.query(sql, [], { timeoutMs: 60000 }); console.log(name, Math.round(performance.now() - t)); };
for (let i = 0; i < 2; i++) for (const [n, q] of [["mariadb", m], ["mysql", y]] as const) {
    await time(n + " plain", q.pool, "SELECT SUM(LENGTH(CONCAT_WS('\t', id, a, b, c, d, e))) FROM t");
    await time(n + " utf8 replace", q.pool, `SELECT SUM(LENGTH(CONCAT_WS('\t', id, ${r("CONVERT(a USING utf8mb4)")}, ${r("CONVERT(b USING utf8mb4)")}, c, d, e))) FROM t`);
    await time(n + " bin replace", q.pool, `SELECT SUM(LENGTH(CONCAT_WS('\t', id, ${r("CAST(CONVERT(a USING utf8mb4) AS BINARY)")}, ${r("CAST(CONVERT(b USING utf8mb4) AS BINARY)")}, c, d, e))) FROM t`);
    await time(n + " sha whole", q.pool, `SELECT SUM(LENGTH(SHA2(CONCAT_WS('\t', id, a, b, c, d, e),256))) FROM t`);
    await time(n + " sha cols", q.pool, `SELECT SUM(LENGTH(SHA2(CONCAT_WS('\t', id, SHA2(a,256), SHA2(b,256), c, d, e),256))) FROM t`);
}
