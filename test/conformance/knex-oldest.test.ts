import { mirroredPostgres } from "@mirrorpool/knex";
import knex from "knex";
import oldest from "knex-oldest";
import { expect, test, vi } from "vitest";
import { conformance } from "./conformance.ts";
import { knexSubject } from "./subjects/knex.ts";

vi.mock("knex", () => import("knex-oldest"));

test("these tests, and the adapter in them, are on Knex 3.0", () => {
  expect(knex).toBe(oldest);
  const db = knex({ client: mirroredPostgres({ nodes: ["postgres://localhost/app"] }) });
  expect(db.client).toBeInstanceOf(oldest.Client);
});

conformance({ name: "Knex 3.0", open: (source) => knexSubject(knex({ client: mirroredPostgres(source) })) });
