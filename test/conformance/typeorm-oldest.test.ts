import { mirroredPostgres } from "@mirrorpool/typeorm";
import { DataSource } from "typeorm";
import { DataSource as OldestDataSource } from "typeorm-oldest";
import { expect, test, vi } from "vitest";
import { conformance } from "./conformance.ts";
import { typeormGaps, typeormOptions, typeormSubject } from "./subjects/typeorm.ts";

vi.mock("typeorm", () => import("typeorm-oldest"));

test("these tests are on TypeORM 0.3", () => {
  expect(DataSource).toBe(OldestDataSource);
});

conformance({
  name: "TypeORM 0.3",
  open: async (source) => typeormSubject(await new DataSource(mirroredPostgres(typeormOptions, source)).initialize()),
  gaps: typeormGaps,
});
