import { mirroredPostgres } from "@mirrorpool/kysely";
import { Kysely } from "kysely";
import Cursor from "pg-cursor";
import { conformance } from "./conformance.ts";
import { type Database, kyselySubject } from "./subjects/kysely.ts";

conformance({
  name: "Kysely 0.29",
  open: (source) =>
    kyselySubject(new Kysely<Database>({ dialect: mirroredPostgres(source, { cursor: Cursor }) }), "callback"),
});
