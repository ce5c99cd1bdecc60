import { example } from "./run-example.ts";

example("kysely");
