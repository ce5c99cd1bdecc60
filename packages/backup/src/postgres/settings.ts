import type { ReservedConnection } from "@mirrorpool/core";
import { withSignal } from "../with-signal.ts";

/**
 * What both sides set before any row is read or written, so that text means the same on both; and no limit of the server's ends
 * a connection that waits for its next chunk. Names that a server does not know are left out.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  client_encoding: "UTF8",
  DateStyle: "ISO, YMD",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  extra_float_digits: "1",
  bytea_output: "hex",
  lc_monetary: "C",
  xmloption: "content",
  // what names are written with, in columns of types such as regclass
  search_path: "",
  row_security: "off",
  synchronize_seqscans: "off",
  statement_timeout: "0",
  transaction_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
  check_function_bodies: "off",
};

export async function applySettings(connection: ReservedConnection, signal: AbortSignal | undefined): Promise<void> {
  const names = Object.keys(SETTINGS);
  await connection.query(
    `SELECT set_config(setting.name, setting.value, false)
       FROM unnest($1::text[], $2::text[]) AS setting(name, value)
       JOIN pg_catalog.pg_settings AS known ON lower(known.name) = lower(setting.name)`,
    [names, Object.values(SETTINGS)],
    withSignal(signal),
  );
}
