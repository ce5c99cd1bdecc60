import { OptionsError } from "@mirrorpool/core";
import type { ClientSettings } from "@mirrorpool/pg";
import type { Knex } from "knex";

/** Knex's `searchPath` as a setting that each connection has from its login on. @throws {OptionsError} */
export function searchPathOption(searchPath: Knex.Config["searchPath"]): Pick<ClientSettings, "options"> {
  if (searchPath === undefined || searchPath.length === 0) return {};
  const path = checkedPath(searchPath).map((name) => `"${name.replaceAll('"', '""')}"`);
  // PostgreSQL splits the option at spaces that no backslash goes before
  return { options: `-c search_path=${path.join(",").replaceAll(/[\\\s]/g, "\\$&")}` };
}

function checkedPath(searchPath: string | readonly string[]): readonly string[] {
  if (typeof searchPath !== "string") return searchPath;
  if (!searchPath.includes(",")) return [searchPath];
  throw new OptionsError("searchPath", "a list of several schemas as an array", JSON.stringify(searchPath));
}
