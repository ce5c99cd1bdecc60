import { expect, test } from "vitest";
import { withQuotedKeys } from "../../src/mysql/definitions/foreign-keys.ts";
import { fromScript, toScript } from "../../src/mysql/definitions/script.ts";
import { splitTable } from "../../src/mysql/definitions/split-table.ts";

/** A definition as the server tells it. */
const table = (items: readonly string[], options = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"): string =>
  `CREATE TABLE \`t\` (\n  ${items.join(",\n  ")}\n) ${options}`;

const COLUMNS = [
  "`id` int(11) NOT NULL AUTO_INCREMENT",
  "`a,` varchar(10) DEFAULT 'it''s, (' COMMENT 'KEY `x` (\\'y\\')'",
  "`b``)` int(11) DEFAULT NULL CHECK (`b``)` in (1,2))",
];

test("indexes are made after the rows, but for those that rows or foreign keys need", () => {
  const kept = [...COLUMNS, "PRIMARY KEY (`a,`,`id`)", "KEY `counted` (`id`,`a,`)", "KEY `of key` (`b``)`)"];
  const later = [
    "UNIQUE KEY `u, (` (`a,`(3) DESC)",
    "KEY `k` (`a,`)",
    "FULLTEXT KEY `f` (`a,`)",
    "FULLTEXT KEY `g` (`a,`)",
  ];
  const key = "CONSTRAINT `k` FOREIGN KEY (`b``)`) REFERENCES `t` (`id`)";
  const split = splitTable(table([...kept, ...later, key]), "`t`", ["`b``)`"]);
  expect(split.table).toBe(table([...kept, key]));
  expect(split.indexes).toEqual([later.slice(0, 2), ["FULLTEXT KEY `f` (`a,`)"], ["FULLTEXT KEY `g` (`a,`)"]]);
});

test.each([
  ["unique ones without a primary key", ["`a` int(11) NOT NULL", "UNIQUE KEY `u` (`a`)"], undefined],
  ["those of other engines", ["`a` int(11) NOT NULL", "PRIMARY KEY (`a`)", "KEY `k` (`a`)"], "ENGINE=MyISAM"],
  ["those of versioned tables", ["`a` int(11)", "KEY `k` (`a`)"], "ENGINE=InnoDB WITH SYSTEM VERSIONING"],
])("indexes stay where they are: %s", (_, items, options) => {
  const text = table(items, options);
  expect(splitTable(text, "`t`", [])).toEqual({ table: text, indexes: [] });
});

test("names of foreign keys that MariaDB leaves as they are become names", () => {
  const key = { name: "k`", child: "t", childColumns: ["a`b", "c"], parent: "p`", parentColumns: ["a`b", "d"] };
  const text = table([
    "`x` int",
    "CONSTRAINT `k`` FOREIGN KEY (`a`b`, `c`) REFERENCES `p``` (`a`b`, `d`) ON DELETE CASCADE",
  ]);
  expect(withQuotedKeys(text, "t", [key])).toBe(
    table(["`x` int", "CONSTRAINT `k``` FOREIGN KEY (`a``b`, `c`) REFERENCES `p``` (`a``b`, `d`) ON DELETE CASCADE"]),
  );
  expect(withQuotedKeys(text, "other", [key])).toBe(text);
});

test("definitions are read from their file as they were written, whatever is in them", () => {
  const [plain, ansi] = ["SET SESSION sql_mode = ''", "SET SESSION sql_mode = 'ANSI_QUOTES'"];
  const definitions = [
    { settings: plain, text: "CREATE TABLE `a\n;;\n` (b int)" },
    { settings: plain, text: "CREATE PROCEDURE p () BEGIN SELECT ';;;'; END" },
    { settings: ansi, text: "CREATE VIEW \"v\" AS SELECT 'DELIMITER x\n' -- end;" },
    { settings: plain, text: "CREATE TABLE z (a int)" },
  ];
  expect(fromScript(toScript(definitions))).toEqual(definitions);
  expect(fromScript(toScript([]))).toEqual([]);
});
