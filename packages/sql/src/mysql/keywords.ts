/**
 * Words that are reserved in MySQL and in MariaDB, so that no function of the user can be called by them: a parenthesis behind one of
 * them is a part of the syntax.
 */
export const NEVER_FUNCTIONS: ReadonlySet<string> = new Set(
  [
    "all and as asc between both by case collate cross desc distinct distinctrow div else except exists false for force",
    "from group having high_priority ignore in index inner intersect interval into is join key leading left like limit",
    "natural not null on or order outer over partition recursive regexp right rlike select separator sql_big_result",
    "sql_small_result straight_join table then trailing true union use using values when where with xor",
    "primary unique references check default",
    // types
    "bigint binary blob char character dec decimal double float float4 float8 int int1 int2 int3 int4 int8 integer",
    "long longblob longtext mediumblob mediumint mediumtext middleint numeric precision real smallint tinyblob tinyint",
    "tinytext unsigned varbinary varchar varcharacter varying zerofill",
  ].flatMap((line) => line.split(" ")),
);

/** Those among the reserved words that look like functions and have no effects, or are some. */
export const CONSTRUCTS: ReadonlySet<string> = new Set(
  [
    "convert current_date current_time current_timestamp current_user if insert left localtime localtimestamp match mod",
    "repeat replace right row_number utc_date utc_time utc_timestamp",
  ].flatMap((line) => line.split(" ")),
);
