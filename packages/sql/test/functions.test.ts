import { describe, expect, test } from "vitest";
import { PRIMARY_FUNCTIONS, READ_FUNCTIONS } from "../src/postgres/functions.ts";
import { functionRefused, hasEffect } from "./oracle.ts";

describe("a function on the list exists in PostgreSQL 18 and is not volatile, or known to be harmless", () => {
  test.each([...READ_FUNCTIONS])("%s", (name) => {
    expect(functionRefused([name])).toBeUndefined();
  });
});

describe("a function that only the primary may answer exists in PostgreSQL 18 and has no effects", () => {
  test.each([...PRIMARY_FUNCTIONS])("%s", (name) => {
    expect(hasEffect([name])).toBeUndefined();
    expect(READ_FUNCTIONS.has(name)).toBe(false);
  });
});

test.each([
  "currval",
  "current_setting",
  "dblink",
  "inet_server_addr",
  "lastval",
  "lo_import",
  "nextval",
  "pg_advisory_lock",
  "pg_current_xact_id",
  "pg_export_snapshot",
  "pg_is_in_recovery",
  "pg_logical_emit_message",
  "pg_notify",
  "pg_read_file",
  "pg_terminate_backend",
  "query_to_xml",
  "set_config",
  "setseed",
  "setval",
  "table_to_xml",
  "to_regclass",
  "ts_rewrite",
  "ts_stat",
  "txid_current",
  "version",
])("%s is not on the list", (name) => {
  expect(READ_FUNCTIONS.has(name)).toBe(false);
});
