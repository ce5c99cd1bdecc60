import { readFileSync } from "node:fs";
import { hasSqlDetails, loadModule, parseSync } from "libpg-query";

await loadModule();

/** What PostgreSQL's own parser says about a text. */
export interface Parsed {
  /** The node type and the node of each statement. */
  readonly statements: readonly { readonly type: string; readonly node: Node }[];
  /** Why the text is no read, or `undefined` if every statement is one. */
  readonly notRead: string | undefined;
  /** Why the text may have an effect, wherever it runs, or `undefined` if no statement of it can. */
  readonly effect: string | undefined;
}

/** A node of the parse tree: those of its fields that tests look at. */
export interface Node {
  readonly chain?: boolean;
  readonly concurrent?: boolean;
  readonly filename?: string;
  readonly funcname?: unknown;
  readonly intoClause?: unknown;
  readonly is_from?: boolean;
  readonly is_program?: boolean;
  readonly is_vacuumcmd?: boolean;
  readonly kind?: string;
  readonly lockingClause?: unknown;
  readonly method?: unknown;
  readonly name?: string;
  readonly names?: unknown;
  readonly options?: unknown;
  readonly query?: object;
  readonly relation?: Node;
  readonly relname?: string;
  readonly savepoint_name?: string;
  readonly schemaname?: string;
  readonly target?: string;
}

/** Parses a text; `undefined` if PostgreSQL refuses it. */
export function parse(sql: string): Parsed | undefined {
  if (sql.trim() === "" || sql.includes("\0")) return undefined; // the binding takes neither
  try {
    const statements = (parseSync(sql).stmts ?? []).map(({ stmt }) => {
      const [type, node] = Object.entries(stmt ?? {})[0] ?? ["", {}];
      return { type, node };
    });
    const why = (whyNot: WhyNot): string | undefined =>
      statements.map((each) => whyNotRead(each, whyNot)).find((reason) => reason !== undefined);
    return { statements, notRead: why(whyNotOnMirror), effect: why(whyNotTwice) };
  } catch (error) {
    if (hasSqlDetails(error) || error instanceof RangeError) return undefined;
    throw error;
  }
}

type WhyNot = (type: string, node: Node) => string | undefined;

function whyNotRead({ type, node }: { type: string; node: Node }, whyNot: WhyNot): string | undefined {
  if (type === "ExplainStmt") {
    const [inner, query] = Object.entries(node.query ?? {})[0] ?? ["", {}];
    return whyNotRead({ type: inner, node: query }, whyNot);
  }
  if (type === "VariableShowStmt" && whyNot === whyNotTwice) return undefined;
  if (type === "CopyStmt" && !node.is_from && !node.is_program && node.filename === undefined) {
    return node.relation === undefined ? findInside(type, node.query, whyNot) : whyNot("RangeVar", node.relation);
  }
  return type === "SelectStmt" ? findInside(type, node, whyNot) : type;
}

/** The first thing found in a tree that is objected to. */
function findInside(type: string, node: unknown, whyNot: WhyNot): string | undefined {
  const work: [string, unknown][] = [[type, node]];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    const [key, value] = item;
    if (typeof value !== "object" || value === null) continue;
    const reason = Array.isArray(value) ? undefined : whyNot(key, value as Node);
    if (reason !== undefined) return reason;
    work.push(...Object.entries(value));
  }
  return undefined;
}

function whyWrites(type: string, node: Node): string | undefined {
  if (/^(?:Insert|Update|Delete|Merge)Stmt$/.test(type)) return type;
  if (node.lockingClause !== undefined) return "locking clause";
  if (node.intoClause !== undefined) return "INTO";
  const isSample = type === "RangeTableSample" && !["system", "bernoulli"].includes(names(node.method).join("."));
  return isSample ? "sampling method" : undefined;
}

function whyNotTwice(type: string, node: Node): string | undefined {
  return whyWrites(type, node) ?? (type === "FuncCall" ? hasEffect(names(node.funcname)) : undefined);
}

function whyNotOnMirror(type: string, node: Node): string | undefined {
  const reason = whyWrites(type, node);
  if (reason !== undefined) return reason;
  switch (type) {
    case "FuncCall":
      return functionRefused(names(node.funcname));
    case "RangeVar":
      return relationRefused(String(node.schemaname ?? ""), String(node.relname));
    case "TypeName":
      return /^reg(?!config|dictionary)/.test(names(node.names).at(-1) ?? "") ? "catalogue type" : undefined;
    default:
      return undefined;
  }
}

function names(list: unknown): readonly string[] {
  return (list as { String: { sval: string } }[]).map((item) => item.String.sval);
}

function relationRefused(schema: string, name: string): string | undefined {
  if (schema === "information_schema" || schema.startsWith("pg_") || name.startsWith("pg_")) return "catalogue";
  return /^(?:knex_migrations|kysely_migration|migrations$|typeorm_metadata$|_prisma_migrations$)/.test(name)
    ? "migration table"
    : undefined;
}

/** Functions of pg_catalog in PostgreSQL 18 that are not volatile, as its `pg_proc` has them. */
const STABLE: ReadonlySet<string> = new Set(
  readFileSync(new URL("fixtures/pg18-stable-functions.txt", import.meta.url), "utf8").split(/\s+/),
);

/** Volatile, but they change nothing. */
const HARMLESS =
  /^(?:random|random_normal|clock_timestamp|timeofday|pg_sleep(?:_for|_until)?|array_sample|array_shuffle|gen_random_uuid|uuidv[47])$/;

/** Not volatile, and yet not the same on a mirror, or able to run SQL that is given as text. */
const NODE_BOUND =
  /^(?:txid_.*|.*_to_xml.*|to_reg.*|has_.*|row_security_active|current_setting|current_schemas?|version|inet_(?:client|server)_.*|.*_description|format_type|get_current_ts_config|getpgusername|ts_(?:rewrite|stat)|pg_(?!sleep|size|typeof|column_size|collation_for|input).*)$/;

/** Why a call of a function is no read, given its name as written (`["pg_catalog", "lower"]`). */
export function functionRefused(path: readonly string[]): string | undefined {
  const [name = "", schema = "pg_catalog"] = path.toReversed();
  const known = path.length <= 2 && schema === "pg_catalog";
  return known && (HARMLESS.test(name) || (STABLE.has(name) && !NODE_BOUND.test(name)))
    ? undefined
    : `function ${path.join(".")}`;
}

/** Bound to the node or the catalogues, and without any effect: their names in full, since their kin may have some. */
const WITHOUT_EFFECT =
  /^(?:version|pg_is_in_recovery|current_setting|current_schemas?|inet_server_(?:addr|port)|to_reg.*|has_.*_privilege|pg_has_role|row_security_active|format_type|(?:col|obj|shobj)_description|pg_(?:postmaster_start_time|conf_load_time|encoding_to_char|get_userbyid)|pg_get_(?:\w+def|expr|keywords|serial_sequence|function_(?:arguments|identity_arguments|result))|pg_\w+_is_(?:visible|updatable))$/;

/** Why a call of a function may have an effect. */
export function hasEffect(path: readonly string[]): string | undefined {
  const [name = "", schema = "pg_catalog"] = path.toReversed();
  const isKnown = path.length <= 2 && schema === "pg_catalog" && (STABLE.has(name) || name === "pg_is_in_recovery");
  return isKnown && WITHOUT_EFFECT.test(name) ? undefined : functionRefused(path);
}
