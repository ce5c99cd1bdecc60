/** A table's definition, and the indexes that may as well be made when its rows are there. */
export interface SplitTable {
  readonly table: string;
  /** What follows `ADD`, in statements of their own: some servers make one full-text index at a time. */
  readonly indexes: readonly (readonly string[])[];
}

const INDEX = /^(?:UNIQUE |FULLTEXT |SPATIAL )?KEY /;
const ALONE = /^(?:FULLTEXT|SPATIAL) /;

/**
 * Takes a statement of SHOW CREATE TABLE apart. Indexes stay where rows, or foreign keys, could not be had without them: the key of a
 * column that counts, unique ones where there is no primary key, those that foreign keys need, and all of engines other than InnoDB.
 * Foreign keys stay in any case: some of them can be made with their table alone. Pure.
 * @param name of the table, quoted
 * @param needed columns that foreign keys need an index to begin with, quoted and with commas between them
 */
export function splitTable(statement: string, name: string, needed: readonly string[]): SplitTable {
  const items = itemsOf(statement);
  const whole: SplitTable = { table: statement, indexes: [] };
  if (items === undefined || !/ENGINE=InnoDB\b/.test(items.options) || /WITH SYSTEM VERSIONING/.test(items.options))
    return whole;
  const hasKey = items.list.some((item) => item.startsWith("PRIMARY KEY"));
  const counted = items.list.find((item) => item.startsWith("`") && /\bAUTO_INCREMENT\b/.test(item));
  const countedName = counted && /^`(?:[^`]|``)*`/.exec(counted)?.[0];
  const leads = [...needed, ...(countedName === undefined ? [] : [countedName])];
  const isNeeded = (item: string): boolean => {
    const columns = columnsOf(item);
    return (!hasKey && item.startsWith("UNIQUE ")) || leads.some((lead) => `${columns},`.startsWith(`${lead},`));
  };
  const later = items.list.filter((item) => INDEX.test(item) && !isNeeded(item));
  if (later.length === 0) return whole;
  const kept = items.list.filter((item) => !later.includes(item));
  const together = later.filter((item) => !ALONE.test(item));
  const alone = later.filter((item) => ALONE.test(item));
  return {
    table: `CREATE TABLE ${name} (\n  ${kept.join(",\n  ")}\n)${items.options}`,
    indexes: [...(together.length > 0 ? [together] : []), ...alone.map((item) => [item])],
  };
}

/** The columns of an index, as they stand in its parentheses. */
const columnsOf = (index: string): string => /KEY `(?:[^`]|``)*` \((.*)\)/s.exec(index)?.[1] ?? "";

/** What stands between the parentheses of a table's definition, one by one, and what follows them. Undefined for what is no such thing. */
function itemsOf(statement: string): { readonly list: readonly string[]; readonly options: string } | undefined {
  const begin = /^CREATE TABLE `(?:[^`]|``)*` \(/.exec(statement)?.[0].length;
  if (begin === undefined) return undefined;
  const list: string[] = [];
  let depth = 1;
  let from = begin;
  for (let at = begin; at < statement.length; at += 1) {
    const char = statement.charAt(at);
    if (char === "`" || char === "'" || char === '"') at = endOfQuoted(statement, at);
    else if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    if (depth === 0) return { list: [...list, statement.slice(from, at).trim()], options: statement.slice(at + 1) };
    if (char !== "," || depth > 1) continue;
    list.push(statement.slice(from, at).trim());
    from = at + 1;
  }
  return undefined;
}

/** The place of the quote that ends what begins here. A doubled one is two. */
function endOfQuoted(text: string, begin: number): number {
  const quote = text.charAt(begin);
  for (let at = begin + 1; at < text.length; at += 1) {
    if (text.charAt(at) === "\\" && quote !== "`") at += 1;
    else if (text.charAt(at) === quote) return at;
  }
  return text.length;
}
