import { mirroredPostgres } from "@mirrorpool/typeorm";
import { DataSource } from "typeorm";
import { conformance } from "./conformance.ts";
import { typeormGaps, typeormOptions, typeormSubject } from "./subjects/typeorm.ts";

conformance({
  name: "TypeORM 1",
  open: async (source) => typeormSubject(await new DataSource(mirroredPostgres(typeormOptions, source)).initialize()),
  gaps: typeormGaps,
});
