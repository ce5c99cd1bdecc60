import { Pool } from "@mirrorpool/pg";
import { conformance } from "./conformance.ts";
import { pgSubject } from "./subjects/pg.ts";

conformance({ name: "the drop-in for pg", open: (mirrorpool) => pgSubject(new Pool({ mirrorpool })) });
