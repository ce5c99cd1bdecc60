import type { Querier } from "../querier.ts";
import { ask } from "./ask.ts";

/** Where in its server's binary log a view stands: it has everything before, and nothing after. */
export interface ViewPlace {
  readonly file: string;
  readonly offset: number;
}

/** So often in a row a server has to say the same, and so often it is asked at most. */
const SAME = 5;
const MAX_READS = 50;

/**
 * The place of the view that a connection to MariaDB has open. Undefined where the server does not tell.
 *
 * The server puts what it tells of this into variables that all sessions share before it reads them out (`binlog_snapshot_file` in its
 * `sql/log.cc`): who asks at the same moment as another session may be told the other one's place, in one case of a hundred. So it is
 * asked until it has said the same several times, and no two connections are to be asked at once.
 */
export async function readViewPlace(on: Querier): Promise<ViewPlace | undefined> {
  let last: ViewPlace | undefined;
  let same = 0;
  for (let reads = 0; reads < MAX_READS && same < SAME; reads += 1) {
    const place = await readOnce(on);
    same = place.file === last?.file && place.offset === last.offset ? same + 1 : 1;
    last = place;
  }
  return same < SAME || last === undefined || last.file === "" ? undefined : last;
}

/** All transactions that a view at this place has. */
export async function gtidsAt(on: Querier, { file, offset }: ViewPlace): Promise<string | undefined> {
  const [row] = await ask<{ gtids: string | null }>(on, "SELECT BINLOG_GTID_POS(?, ?) AS gtids", [file, offset]);
  return row?.gtids ?? undefined;
}

async function readOnce(on: Querier): Promise<ViewPlace> {
  const text = "SHOW SESSION STATUS LIKE 'binlog_snapshot_%'";
  const rows = await ask<{ Variable_name: string; Value: string }>(on, text);
  const told = (name: string): string =>
    rows.find((row) => row.Variable_name.toLowerCase() === `binlog_snapshot_${name}`)?.Value ?? "";
  return { file: told("file"), offset: Number(told("position")) };
}
