import type { Kind } from "./support.ts";

const NAME = `we"ird\n\t.'*\\ ;; \`\`ä€`; // no emoji: names have characters of three bytes at most

/** Definitions and rows of all kinds that a backup has to bring through. */
const definitions = (kind: Kind): readonly string[] => [
  "CREATE TABLE customer (id bigint unsigned NOT NULL AUTO_INCREMENT, name varchar(50) NOT NULL, email varchar(80) DEFAULT 'it''s, (x' COMMENT 'a, \\'b\\' (c', size int AS (CHAR_LENGTH(name)) STORED, twice int AS (size * 2) VIRTUAL, PRIMARY KEY (id), UNIQUE KEY `by ``mail, (x` (email), KEY size (size), KEY part (name(5), email)) ENGINE = InnoDB",
  "CREATE TABLE orders (id int NOT NULL AUTO_INCREMENT, customer bigint unsigned NOT NULL, note text, amount decimal(12,2) CHECK (amount > 0), shop int NOT NULL, PRIMARY KEY (shop, id), KEY counted (id, shop), UNIQUE KEY (customer, id, shop), KEY note (note(20)), FULLTEXT KEY words (note), FULLTEXT KEY more (note), CONSTRAINT `of ``c` FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE) ENGINE = InnoDB",
  `CREATE TABLE \`${NAME}\` (\`${NAME}\` int, \`select\` varchar(100), \`a\nb\` longtext, PRIMARY KEY (\`${NAME}\`), KEY \`${NAME}\` (\`select\`)) ENGINE = InnoDB`,
  `CREATE TABLE child (id int PRIMARY KEY, \`${NAME}\` int, FOREIGN KEY (\`${NAME}\`) REFERENCES \`${NAME}\` (\`${NAME}\`)) ENGINE = InnoDB`,
  "CREATE TABLE `no key` (a int, b text) ENGINE = InnoDB",
  "CREATE TABLE `only unique` (a int NOT NULL, b int NOT NULL, UNIQUE KEY (b, a), KEY (a)) ENGINE = InnoDB",
  "CREATE TABLE empty_one (id int AUTO_INCREMENT PRIMARY KEY) ENGINE = InnoDB AUTO_INCREMENT = 1000",
  "CREATE TABLE parts (id int, at date, PRIMARY KEY (id, at), KEY (at)) ENGINE = InnoDB PARTITION BY RANGE (YEAR(at)) (PARTITION p0 VALUES LESS THAN (2024), PARTITION p1 VALUES LESS THAN MAXVALUE)",
  "CREATE TABLE aside (id int AUTO_INCREMENT PRIMARY KEY, v varchar(10), KEY (v)) ENGINE = MyISAM",
  `CREATE TABLE types (id int unsigned PRIMARY KEY, t1 tinyint(1), t tinyint, u bigint unsigned, m mediumint unsigned, z int(6) zerofill, de decimal(65,30), f float, dd double, y year,
    d date, dt datetime(6), d0 datetime, ts timestamp(6) NULL, ti time(6), e enum('a', 'it''s', 'b,c', 'back\\\\slash', ''), s set('x', 'y z'), bi bit(33), bb bit(1),
    vb varbinary(20), bn binary(4), lb longblob, lt longtext, la varchar(50) CHARACTER SET latin1, uc varchar(20) CHARACTER SET utf16, c char(4), js json, g geometry${kind === "mariadb" ? ", u6 uuid, i6 inet6" : ""}) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4`,
  "CREATE TABLE log (text varchar(100)) ENGINE = InnoDB",
  "CREATE FUNCTION shout (t varchar(100)) RETURNS varchar(101) DETERMINISTIC NO SQL RETURN CONCAT(UPPER(t), '!')",
  "CREATE VIEW zz AS SELECT id, shout(name) AS name FROM customer",
  "CREATE VIEW aa AS SELECT zz.id, orders.note FROM zz JOIN orders ON orders.customer = zz.id",
  "CREATE PROCEDURE many () BEGIN SELECT 1; -- ;;\n SELECT ';;\n;;\n'; END",
  "CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW INSERT INTO log VALUES ('inserted')",
  "CREATE EVENT often ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' COMMENT 'it''s' DO DELETE FROM log WHERE text = 'x'",
];

const rows = (kind: Kind): readonly string[] => {
  const own = (values: string): string => (kind === "mariadb" ? `, ${values}` : "");
  const types = `INSERT INTO types VALUES `;
  return [
    `INSERT INTO customer (name, email) VALUES ('one', 'a@b'), ('zwei 🐘', NULL), ('', '')`,
    "INSERT INTO customer (name, email) SELECT CONCAT('x', a.id, b.id, c.id), NULL FROM customer a, customer b, customer c",
    "UPDATE customer SET id = 18446744073709551614 WHERE name = ''",
    "INSERT INTO orders (customer, note, amount, shop) SELECT c.id, CONCAT('note ', c.name, '\\t\\n\\\\', x.id), 0.5 + x.id % 100, x.id % 3 FROM customer c, customer x WHERE c.id < 100 AND x.id < 100",
    "INSERT INTO orders (customer, note, amount, shop, id) SELECT customer, note, amount, shop + 10, id FROM orders WHERE id % 7 = 0",
    `INSERT INTO \`${NAME}\` VALUES (1, 'back\\\\slash\\ttab\\nline\\rreturn', '\\\\.'), (2, '\\\\N', NULL), (3, '', '😀\\0\\Z\\b')`,
    "INSERT INTO child VALUES (1, 1), (2, NULL)",
    "INSERT INTO `no key` SELECT 1, 'same' FROM customer",
    "INSERT INTO `only unique` VALUES (1, 2), (2, 1)",
    "INSERT INTO parts VALUES (1, '2023-12-31'), (2, '2024-01-01')",
    "INSERT INTO aside (v) VALUES ('a'), (NULL)",
    `${types} (0, 2, -128, 18446744073709551615, 16777215, 42, -12345678901234567890123456789012345.123456789012345678901234567890, 3.40282e38, 1.7976931348623157e308, 2155, '9999-12-31',
     '9999-12-31 23:59:59.999999', '1000-01-01', '2038-01-19 03:14:07.999999', '838:59:59', 'it''s', 'x,y z', b'100000000000000000000000000000001', b'1', x'00ff0a', x'00', x'5c6e5c090d', 'tab\\t\\\\N 🐘\\0', 'äöü', 'ü🐘', 'a',
     '{"b": 1, "a": [1e400, "\\\\n"]}', ST_GeomFromText('POINT(1.5 -2)', 4326)${own("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1'")})`.replace(
      "1e400",
      kind === "mysql" ? "1e30" : "1e400",
    ),
    `${types} (7, 0, 127, 0, 0, 123456, 0, 0.1, 5e-324, 1901, '0001-01-01', '0001-01-01', '2024-02-29 01:02:03', '1970-01-01 00:00:01', '-838:59:59', '', '', 0, b'0', '', '', '', '', '', '', '', 'null', NULL${own("NULL, '::ffff:10.0.0.1'")})`,
    `${types} (4294967295${", NULL".repeat(kind === "mariadb" ? 29 : 27)})`,
    `${types} (9, 1, 0, 1, 1, 1, 1, 16777217, -0.1, 0, '0000-00-00', '2024-02-00 00:00:00', '2024-02-31', '2024-02-29', '12:00:00.5', 'back\\\\slash', 'y z', 1, NULL, 'x', 'abcd', 'x', 'NULL', 'x', 'x', 'x', '"x"', ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')${own("UUID(), 'ffff::'")})`,
    "DELETE FROM orders WHERE id % 11 = 0",
    "DELETE FROM log",
  ];
};

/** Statements that make it all. */
export const hostile = (kind: Kind): readonly string[] => [...definitions(kind), ...rows(kind)];
