import { expect, test } from "vitest";
import { type SessionChange, sessionChanges } from "../src/index.ts";

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const set = (text: string, ...names: string[]): SessionChange => ({ type: "set", names, text });
const reset = (text: string, ...names: string[]): SessionChange => ({ type: "reset", names, text });

type Row = readonly [sql: string, changes: readonly SessionChange[] | undefined, values?: readonly unknown[]];

const table: readonly Row[] = [
  ["SELECT 1", []],
  ["SET work_mem = '1MB'", [set("SET work_mem = '1MB'", "work_mem")]],
  [" SET  work_mem TO '1MB' -- why", [set("SET  work_mem TO '1MB'", "work_mem")]],
  ["SET SESSION Work_Mem TO 5;", [set("SET SESSION Work_Mem TO 5", "work_mem")]],
  ["SET sort_mem = 5", [set("SET sort_mem = 5", "work_mem")]],
  ['SET "App"."User" = 5', [set('SET "App"."User" = 5', "app.user")]],
  ["SET session.x = 1", [set("SET session.x = 1", "session.x")]],
  ["SET session to 1", [set("SET session to 1", "session")]],
  ["SET search_path TO a, b", [set("SET search_path TO a, b", "search_path")]],
  ["SET search_path TO DEFAULT", [reset("SET search_path TO DEFAULT", "search_path")]],
  ["SET SCHEMA 'a'", [set("SET SCHEMA 'a'", "search_path")]],
  ["SET NAMES 'UTF8'", [set("SET NAMES 'UTF8'", "client_encoding")]],
  ["SET TIME ZONE INTERVAL '1' HOUR", [set("SET TIME ZONE INTERVAL '1' HOUR", "timezone")]],
  ["SET TIME ZONE DEFAULT", [reset("SET TIME ZONE DEFAULT", "timezone")]],
  ["SET ROLE a", [set("SET ROLE a", "role")]],
  ["SET role = a", [set("SET role = a", "role")]],
  ["SET SESSION ROLE a", [set("SET SESSION ROLE a", "role")]],
  ["SET SESSION AUTHORIZATION a", [set("SET SESSION AUTHORIZATION a", "session_authorization", "role")]],
  ["SET SESSION AUTHORIZATION DEFAULT", [reset("SET SESSION AUTHORIZATION DEFAULT", "session_authorization", "role")]],
  [
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
    [
      set(
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
        "default_transaction_isolation",
        "default_transaction_read_only",
      ),
    ],
  ],
  ["RESET work_mem", [reset("RESET work_mem", "work_mem")]],
  ["RESET TIME ZONE", [reset("RESET TIME ZONE", "timezone")]],
  ["RESET SESSION AUTHORIZATION", [reset("RESET SESSION AUTHORIZATION", "session_authorization", "role")]],
  ["RESET ALL", [{ type: "reset-all", text: "RESET ALL" }]],
  ["DISCARD ALL", [{ type: "discard-all" }]],
  ["SET LOCAL work_mem = 1", []],
  ["SET TRANSACTION READ ONLY", []],
  ["SET transaction_isolation = 'serializable'", []],
  ["SET seed = 0.5", undefined],
  ["SET a = 1; SET LOCAL b = 2; SELECT 1; ; SET c = 3", [set("SET a = 1", "a"), set("SET c = 3", "c")]],

  ['PREPARE "P" (int) AS SELECT $1;', [{ type: "prepare", name: "P", text: 'PREPARE "P" (int) AS SELECT $1' }]],
  ["DEALLOCATE PREPARE p", [{ type: "deallocate", name: "p" }]],
  ["DEALLOCATE prepare", [{ type: "deallocate", name: "prepare" }]],
  ["DEALLOCATE ALL", [{ type: "deallocate-all" }]],

  ["SELECT set_config('a.B', 'x', false)", [set("SELECT pg_catalog.set_config('a.B', 'x', false)", "a.b")]],
  [
    "SELECT set_config('a', $1::text, $2) AS x, set_config('b', $1, true), pg_catalog.set_config($3, NULL, false)",
    [
      set("SELECT pg_catalog.set_config('a', 'it''s'::text, 'false')", "a"),
      set("SELECT pg_catalog.set_config('c', NULL, false)", "c"),
    ],
    ["it's", false, "c"],
  ],
  ["SELECT set_config('a', $1, false)", [set("SELECT pg_catalog.set_config('a', '7', false)", "a")], [7]],
  ["SELECT set_config('a', $1, false)", [set("SELECT pg_catalog.set_config('a', NULL, false)", "a")], [null]],
  ["SELECT set_config('a', $1, false)", undefined, [new Date(0)]],
  ["SELECT set_config('a', 'b', $1)", undefined, ["off"]],
  ["SELECT set_config($1, 'b', false)", undefined, []],
  ["SELECT set_config(E'a', 'b', false)", undefined],
  ["SELECT set_config('a', 'b', true)", []],
  ["SELECT set_config('a', x, false) FROM t", undefined],
  ["EXPLAIN SELECT set_config('a', 'b', false)", undefined],
  ["SET a = 'x\\'", undefined],
  ["SET a = 'unterminated", undefined],
];

test.each(table.map(([sql, changes, values = []]) => ({ sql, changes, values })))(
  "$sql",
  ({ sql, changes, values }) => {
    expect(sessionChanges(sql, "postgres", values, quote)).toEqual(changes);
  },
);
