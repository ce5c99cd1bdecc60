import { readFileSync } from "node:fs";

/** The texts of a fixture: one a line, without empty lines and the lines that are comments. */
export function corpus(
  name: "orm-reads" | "queries" | "commands" | "mysql-reads" | "mysql-queries" | "mysql-commands",
): readonly string[] {
  return readFileSync(new URL(`fixtures/${name}.sql`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("--"));
}
