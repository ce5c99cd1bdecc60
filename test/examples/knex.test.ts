import { example } from "./run-example.ts";

example("knex", ["mariadb", "mysql"]);
