import type { QualifiedName } from "./format/manifest.ts";

/** For messages: as it is, on one line. */
export const showTable = ({ schema, name }: QualifiedName): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a name may hold them, and a line of a log must not
  `${schema}.${name}`.replace(/[\u0000-\u001f\u007f]/g, "?");

/**
 * Whether a table is one of those that a pattern means: `schema.table` with `*` for any characters, or `table` alone for one in any
 * schema. Compared exactly, also in case.
 */
export function matches(pattern: string, { schema, name }: QualifiedName): boolean {
  const expression = new RegExp(`^${pattern.split("*").map(literally).join("[^]*")}$`, "u");
  return expression.test(`${schema}.${name}`) || (!pattern.includes(".") && expression.test(name));
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
