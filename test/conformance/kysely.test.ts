import { mirroredPostgres } from "@mirrorpool/kysely";
import { Kysely } from "kysely";
import { conformance } from "./conformance.ts";
import { type Database, kyselySubject } from "./subjects/kysely.ts";

conformance({
  name: "Kysely 0.29",
  open: (source) => kyselySubject(new Kysely<Database>({ dialect: mirroredPostgres(source) }), "callback"),
  gaps: {
    stream: { why: "the pool has no streams yet", fails: /no streams yet/ },
    "stream-break": { why: "the pool has no streams yet", fails: /no streams yet/ },
    "stream-loss": { why: "the pool has no streams yet", fails: /STREAM_LOST/ },
  },
});
