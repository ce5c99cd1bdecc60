import { mirroredPostgres } from "@mirrorpool/kysely";
import { Kysely } from "kysely";
import { PostgresAdapter as OldestAdapter, Kysely as OldestKysely } from "kysely-oldest";
import Cursor from "pg-cursor";
import { expect, test, vi } from "vitest";
import { conformance } from "./conformance.ts";
import { NotSupported } from "./subject.ts";
import { type Database, kyselySubject } from "./subjects/kysely.ts";

vi.mock("kysely", () => import("kysely-oldest"));
vi.mock("kysely/migration", () => import("kysely-oldest"));

test("these tests, and the adapter in them, are on Kysely 0.28", () => {
  expect(Kysely).toBe(OldestKysely);
  expect(mirroredPostgres({ driver: undefined as never, nodes: [] }).createAdapter()).toBeInstanceOf(OldestAdapter);
});

conformance({
  name: "Kysely 0.28",
  open: (source) => ({
    ...kyselySubject(new Kysely<Database>({ dialect: mirroredPostgres(source, { cursor: Cursor }) }), "controlled"),
    giveUp: async () => {
      throw new NotSupported("Kysely 0.28 takes no signal");
    },
  }),
  gaps: {
    cancel: { why: "Kysely takes signals since 0.29", fails: /takes no signal/ },
  },
});
