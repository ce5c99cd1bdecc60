import fc from "fast-check";

/**
 * Statements as lists of tokens, so that tests can put any space between them and mutate them. They are built with
 * everything that could lead a reader by tokens astray: keywords as names and labels, aliases with column lists, calls
 * wherever an expression may stand, and now and then something that writes.
 */
export type Tokens = readonly string[];

const text = (source: string): Tokens => source.split(" ").filter((part) => part !== "");
const one = (...sources: readonly string[]): fc.Arbitrary<Tokens> => fc.constantFrom(...sources.map(text));
const seq = (...parts: readonly (string | fc.Arbitrary<Tokens>)[]): fc.Arbitrary<Tokens> =>
  fc
    .tuple(...parts.map((part) => (typeof part === "string" ? fc.constant(text(part)) : part)))
    .map((all) => all.flat());
const maybe = (part: fc.Arbitrary<Tokens>, weight = 3): fc.Arbitrary<Tokens> =>
  fc.oneof({ weight, arbitrary: fc.constant<Tokens>([]) }, { weight: 1, arbitrary: part });
const list = (part: fc.Arbitrary<Tokens>, maxLength = 3): fc.Arbitrary<Tokens> =>
  fc
    .array(part, { minLength: 1, maxLength })
    .map((parts) => parts.flatMap((item, i) => (i === 0 ? item : [",", ...item])));

const identifiers =
  'a b id users order_id "T" "select" "a""b" "nextval" value by sets rollup cube over filter key share name columns temp recursive materialized ordinality system local path keys first type';
const labels = `${identifiers} select from for update into with values operator`;
const functions =
  "count lower now generate_series json_agg to_jsonb max pg_catalog.lower left right date pg_sleep jsonb_build_object row_number";
const writers =
  'nextval setval f public.count my.lower pg_advisory_lock set_config over rollup sets by operator columns "lower" filter join.x query_to_xml';
const operators = "= + - * / || <> < -> ->> @> ? ?| ~* !~ # % ^ && @@ <-> |/";

const name = fc.constantFrom(...text(identifiers)).map((word): Tokens => [word]);
const label = fc.constantFrom(...text(labels)).map((word): Tokens => [word]);
const split = (path: string): Tokens => path.split(/(\.)/);
const reader = fc.constantFrom(...text(functions)).map(split);
const writer = fc.constantFrom(...text(writers)).map(split);
const operator = fc.constantFrom(...text(operators)).map((word): Tokens => [word]);
const called = fc.oneof({ weight: 30, arbitrary: reader }, { weight: 1, arbitrary: writer });
const literal = one(
  "1",
  "1.5e3",
  "0x1F",
  "1_000",
  "'it''s'",
  "E'\\''",
  "$1",
  "$q$ ' $q$",
  "null",
  "true",
  "B'01'",
  "U&'\\0041'",
);
const type = fc.oneof(
  one(
    "int",
    "text",
    "numeric ( 10 , 2 )",
    "varchar ( 5 )",
    "character varying ( 5 )",
    "timestamp ( 3 ) with time zone",
  ),
  one("geo ( point , 4326 )", "public . kind", "jsonb", "text [ ]", "double precision", "interval", "regconfig"),
);

const columnList = seq("(", list(name), ")");
const columnDefinitions = seq("(", list(seq(name, type)), ")");

const { query } = fc.letrec<{
  expression: Tokens;
  relation: Tokens;
  select: Tokens;
  query: Tokens;
  subquery: Tokens;
  writing: Tokens;
}>((tie) => {
  const expression = tie("expression");
  const subquery = tie("subquery");
  const call = seq(called, "(", maybe(list(expression), 1), ")");
  const over = fc.oneof(
    seq("over (", maybe(seq("partition by", list(expression))), maybe(seq("order by", list(expression))), ")"),
    one("over w"),
  );
  const alias = maybe(
    fc.oneof(
      name,
      seq("as", name),
      seq("as", name, columnList),
      seq(name, columnList),
      seq("as", name, columnDefinitions),
    ),
    1,
  );
  return {
    expression: fc.oneof(
      { maxDepth: 3, depthIdentifier: "sql", withCrossShrink: true },
      { weight: 6, arbitrary: fc.oneof(name, literal, seq(name, ".", label)) },
      { weight: 3, arbitrary: call },
      { weight: 2, arbitrary: seq(expression, operator, expression) },
      fc.oneof(
        seq("(", expression, ")"),
        seq("not", expression),
        seq("-", expression),
        seq("row (", list(expression), ")"),
        seq("array [", list(expression), "]"),
        seq("array (", subquery, ")"),
        seq("exists (", subquery, ")"),
        seq("(", subquery, ")"),
        seq(expression, fc.oneof(one("in"), one("not in")), "(", fc.oneof(list(expression), subquery), ")"),
        seq(expression, operator, fc.oneof(one("any"), one("all")), "(", fc.oneof(expression, subquery), ")"),
        seq(expression, "between", expression, "and", expression),
        seq(expression, fc.oneof(one("like"), one("ilike"), one("similar to"), one("is distinct from")), expression),
        seq(expression, "is not null"),
        seq(expression, "at time zone", expression),
        seq(expression, 'collate "C"'),
        seq(expression, "operator ( pg_catalog . + )", expression),
      ),
      fc.oneof(
        seq(expression, "::", type),
        seq("cast (", expression, "as", type, ")"),
        seq("case when", expression, "then", expression, "else", expression, "end"),
        seq("case", expression, "when", expression, "then", expression, "end"),
        seq(one("coalesce", "greatest", "nullif", "xmlconcat", "json_array"), "(", expression, ",", expression, ")"),
        seq("extract ( year from", expression, ")"),
        seq("substring (", expression, "from", expression, "for", expression, ")"),
        seq("overlay (", expression, "placing", expression, "from", expression, "for", expression, ")"),
        seq("position (", expression, "in", expression, ")"),
        seq("trim (", maybe(one("leading", "both", "trailing")), maybe(expression), "from", expression, ")"),
        seq("json_object (", expression, one("value", ":"), expression, ")"),
        seq("interval '1'", one("day", "second ( 3 )", "")),
        seq("xmlelement ( name", label, ",", expression, ")"),
        seq("treat (", expression, "as", type, ")"),
        seq("collation for (", expression, ")"),
        one("current_timestamp ( 3 )", "current_user", "localtime", "current_schema"),
      ),
      fc.oneof(
        seq(call, "filter ( where", expression, ")", maybe(over)),
        seq(call, over),
        seq("count ( * )", maybe(over)),
        seq("count ( distinct", expression, "order by", expression, ")"),
        seq("percentile_cont ( 0.5 ) within group ( order by", expression, ")", maybe(over)),
        seq("(", call, ") .", label),
        seq(called, "( variadic", expression, ")"),
        seq(called, "(", name, "=>", expression, ")"),
      ),
    ),
    relation: fc.oneof(
      { maxDepth: 3, depthIdentifier: "sql" },
      { weight: 4, arbitrary: seq(maybe(one("only")), name, alias) },
      seq("public .", name, alias),
      seq("(", subquery, ")", alias),
      seq("lateral (", subquery, ")", alias),
      seq(maybe(one("lateral")), call, maybe(one("with ordinality")), alias),
      seq("rows from (", call, ",", call, ")", alias),
      seq("(", tie("relation"), "cross join", tie("relation"), ")", alias),
      seq(tie("relation"), one("join", "left join", "full outer join"), tie("relation"), "on", expression),
      seq(tie("relation"), one("join", "inner join"), tie("relation"), "using (", list(name), ")"),
      seq(
        name,
        "tablesample",
        one("system", "bernoulli", "mine"),
        "(",
        expression,
        ")",
        maybe(one("repeatable ( 3 )")),
      ),
      one("pg_class", "information_schema . tables", "knex_migrations"),
    ),
    select: seq(
      "select",
      maybe(fc.oneof(one("distinct", "all"), seq("distinct on (", list(expression), ")"))),
      list(fc.oneof(one("*"), seq(expression, maybe(fc.oneof(seq("as", label), label)))), 3),
      maybe(seq("into", maybe(one("temp", "unlogged")), name), 60),
      maybe(seq("from", list(tie("relation"))), 1),
      maybe(seq("where", expression), 1),
      maybe(
        seq(
          "group by",
          list(
            fc.oneof(expression, seq(one("rollup", "cube", "grouping sets"), "(", list(expression), ")"), one("( )")),
          ),
        ),
      ),
      maybe(seq("having", expression)),
      maybe(seq("window w as ( partition by", expression, ")")),
    ),
    query: seq(
      maybe(
        seq(
          "with",
          maybe(one("recursive")),
          list(
            seq(
              name,
              maybe(columnList, 1),
              "as",
              maybe(one("materialized", "not materialized")),
              "(",
              fc.oneof({ weight: 15, arbitrary: tie("query") }, { weight: 1, arbitrary: tie("writing") }),
              ")",
              maybe(one("search depth first by a , b set c", "cycle a , b set c using p"), 6),
            ),
            2,
          ),
        ),
      ),
      fc.oneof(
        { maxDepth: 2, depthIdentifier: "sql" },
        { weight: 6, arbitrary: tie("select") },
        seq("values (", list(expression), ")"),
        seq("table", name),
        seq("(", tie("query"), ")"),
        seq("(", tie("query"), ") union all", tie("select")),
        seq(tie("select"), one("union", "except", "intersect all"), tie("select")),
      ),
      maybe(seq("order by", list(seq(expression, maybe(one("desc nulls last", "using >")))))),
      maybe(seq("limit", expression)),
      maybe(seq("offset", expression, maybe(one("rows")))),
      maybe(one("fetch first 5 rows only", "fetch first ( 1 + 1 ) rows with ties"), 9),
      maybe(one("for update", "for no key update of a", "for share skip locked", "for key share", "for read only"), 30),
    ),
    subquery: tie("query"),
    writing: fc.oneof(
      seq("insert into", name, columnList, fc.oneof(tie("select"), seq("values (", expression, ")")), "returning *"),
      seq("update", name, "set", name, "=", expression, "where", expression, "returning", expression),
      seq("delete from", name, "where", expression),
      seq("merge into a using b on", expression, "when matched then delete"),
    ),
  };
});

/** A statement that is mostly a query: as it is, explained, or beside another one. */
export const statement: fc.Arbitrary<Tokens> = fc.oneof(
  { weight: 8, arbitrary: query },
  seq("explain", one("", "analyze", "verbose", "( costs off )", "( analyze , format json )"), query),
  seq(query, ";", query, maybe(one(";"))),
);

const spaces = fc.constantFrom(" ", "\n", "\t", "  ", " /* ' */ ", ' -- " (\n', "/* /* nested */ ; */", " --\r");

/** The text of tokens: with any space and comments between them, and any case. */
export function render(tokens: fc.Arbitrary<Tokens>): fc.Arbitrary<string> {
  const separators = fc.oneof(
    { weight: 2, arbitrary: fc.constant([" "]) },
    { weight: 1, arbitrary: fc.array(spaces, { minLength: 1, maxLength: 9 }) },
  );
  const casing = fc.constantFrom(
    (word: string) => word,
    (word: string) => word.toUpperCase(),
    (word: string) =>
      word.replace(/[a-z](?=.)/g, (letter, at: number) => (at % 2 === 0 ? letter.toUpperCase() : letter)),
  );
  return fc
    .tuple(tokens, separators, casing)
    .map(([parts, between, recase]) =>
      parts.map((part, i) => (/^\w+$/.test(part) ? recase(part) : part) + between[i % between.length]).join(""),
    );
}

const strays = text(
  `${labels} ${writers.replaceAll(".", " . ")} ${functions} ( ( ) ) , . ; :: [ ] * 1 'x' $1 -- /* */ ' " on distinct as in all any lateral join left table values explain analyze insert delete returning with ordinality group order partition grouping interval cast when then end only union limit fetch rows nextval(1) (select over(`,
);

/** The same with some tokens dropped, doubled, exchanged or replaced. Most are refused by the server; some surprise. */
export function mutated(tokens: fc.Arbitrary<Tokens>): fc.Arbitrary<Tokens> {
  const change = fc.tuple(
    fc.nat(),
    fc.nat(),
    fc.constantFrom("drop", "double", "swap", "replace", "insert"),
    fc.constantFrom(...strays),
  );
  return fc.tuple(tokens, fc.array(change, { minLength: 1, maxLength: 2 })).map(([original, changes]) => {
    const result = [...original];
    for (const [seed, other, kind, stray] of changes) {
      const at = seed % (result.length + 1);
      if (kind === "drop") result.splice(at, 1);
      if (kind === "double") result.splice(at, 0, ...result.slice(at, at + 1));
      if (kind === "insert") result.splice(at, 0, stray);
      if (kind === "replace") result.splice(at, 1, stray);
      if (kind === "swap" && result.length > 0) {
        const [from, to] = [seed % result.length, other % result.length];
        [result[from], result[to]] = [result[to] as string, result[from] as string];
      }
    }
    return result;
  });
}
