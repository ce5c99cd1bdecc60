/**
 * Keywords that cannot be the name of a function unless qualified or quoted (PostgreSQL, appendix "SQL Key Words":
 * reserved, and "non-reserved, cannot be function or type"). A parenthesis after one of them is a part of the syntax.
 */
const NEVER_FUNCTIONS: ReadonlySet<string> = new Set(
  [
    // reserved in every supported version
    "all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create",
    "current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc",
    "distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral",
    "leading limit localtime localtimestamp not null offset on only or order placing primary references returning",
    "select session_user some symmetric table then to trailing true union unique user using variadic when where",
    "window with",
    // types and grammar
    "between bigint bit boolean char character dec decimal exists float inout int integer interval national nchar",
    "none numeric out precision real setof smallint time timestamp values varchar",
  ].flatMap((line) => line.split(" ")),
);

/**
 * Those that look like functions and have no effects. `TREAT`, which calls a function named after a type, is left out
 * with intent. The SQL/JSON ones became keywords in versions 16 and 17; before, nothing of pg_catalog had their names
 * but `json_object`.
 */
const CONSTRUCTS: ReadonlySet<string> = new Set(
  [
    "coalesce extract greatest grouping least normalize nullif overlay position row substring trim",
    "xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable",
    "json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize",
    "json_table json_value",
  ].flatMap((line) => line.split(" ")),
);

/** Whether an unquoted, unqualified word before a parenthesis cannot name a function of the user. */
export function isNeverFunction(word: string): boolean {
  return NEVER_FUNCTIONS.has(word) || CONSTRUCTS.has(word);
}

/** Whether the parenthesis after such a word is read like the arguments of a function; `WITHIN GROUP (…)` is, too. */
export function isConstruct(word: string): boolean {
  return CONSTRUCTS.has(word) || word === "group";
}
