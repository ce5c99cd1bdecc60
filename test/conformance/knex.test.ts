import { mirroredPostgres } from "@mirrorpool/knex";
import knex from "knex";
import { conformance } from "./conformance.ts";
import { knexSubject } from "./subjects/knex.ts";

conformance({ name: "Knex 3.3", open: (source) => knexSubject(knex({ client: mirroredPostgres(source) })) });
