import type { Code } from "../driver/codes.ts";
import type { Command } from "../driver/language.ts";
import type { Backend, Reply } from "./backend.ts";

/** What a server does with a statement at the moment when it takes effect. */
export function execute(backend: Backend, command: Command): Reply {
  const { verb } = command;
  if (verb === "ROLLBACK") return endTransaction(backend, "ROLLBACK");
  if (verb === "COMMIT") return commit(backend);
  if (backend.status === "failed") return fail(backend, "25P02");
  switch (verb) {
    case "READ":
      return answer(backend, verb, [{ tokens: readTokens(backend) }]);
    case "LOCKREAD":
      return takesWrites(backend) ? answer(backend, verb, [{ tokens: readTokens(backend) }]) : fail(backend, "25006");
    case "WRITE":
      return write(backend, command.name);
    case "BATCH":
      return batch(backend, command.name);
    case "BEGIN":
      backend.status = "transaction";
      backend.isReadOnly = command.isReadOnly;
      return answer(backend, verb);
    case "LOCK":
    case "SET":
    case "RESTATE":
    case "LISTEN":
      return answer(backend, verb);
    case "FAIL":
      return fail(backend, "23505");
    case "DEADLOCK":
      return fail(backend, "40P01");
    case "CRASH":
      backend.end();
      return { ok: false, status: "idle", code: "57P01", isLast: true };
    case "TOKENCOMMIT":
      return commitWithKey(backend, command.name);
    case "SETTLE":
      return settle(backend, command.name);
    case "FIND":
      return answer(backend, verb, findKeys(backend, command.name.split(",")));
    case "END":
      backend.server.endSession(command.name);
      return answer(backend, verb);
    case "PRUNE":
      return answer(backend, verb);
    case "PROBE":
      return answer(backend, verb, [backend.server.tell()]);
    default:
      return verb satisfies never;
  }
}

function takesWrites({ server, isReadOnly }: Backend): boolean {
  return server.takesWrites && !isReadOnly;
}

/** The transaction's own tokens come after those that are committed. */
function readTokens({ server, pending }: Backend): readonly string[] {
  return [...server.log, ...pending].map(({ token }) => token).filter((token) => !isKey(token));
}

function write(backend: Backend, token: string): Reply {
  if (!takesWrites(backend)) return fail(backend, "25006");
  const entry = backend.server.entry(token);
  if (backend.status === "transaction") backend.pending.push(entry);
  else backend.server.append([entry]);
  return answer(backend, "WRITE");
}

/** Several statements in one string; where a transaction is open already, the COMMIT at the end ends that one. */
function batch(backend: Backend, token: string): Reply {
  if (!takesWrites(backend)) {
    backend.status = "transaction";
    return fail(backend, "25006");
  }
  backend.pending.push(backend.server.entry(token));
  return commit(backend);
}

function commit(backend: Backend): Reply {
  if (backend.status === "failed") return endTransaction(backend, "ROLLBACK");
  const { server, pending } = backend;
  if (pending.length > 0 && !server.mayCommit) {
    backend.rollBack();
    return fail(backend, "25006");
  }
  if (pending.length > 0) server.append(pending);
  return endTransaction(backend, "COMMIT");
}

/** Rows of the ledger are writes like others, and replicated with them. */
const keyRow = (key: string): string => `key:${key}`;
const fenceRow = (key: string): string => `fence:${key}`;
const isKey = (token: string): boolean => token.startsWith("key:") || token.startsWith("fence:");

/** Key and COMMIT in one string: where the key cannot be written nothing is committed. */
function commitWithKey(backend: Backend, key: string): Reply {
  if (!takesWrites(backend)) return fail(backend, "25006");
  if (backend.server.has(keyRow(key)) || backend.server.has(fenceRow(key))) return fail(backend, "23505");
  backend.pending.push(backend.server.entry(keyRow(key)));
  return commit(backend);
}

function settle(backend: Backend, key: string): Reply {
  const { server } = backend;
  if (!takesWrites(backend)) return fail(backend, "25006");
  const isFenced = !server.has(keyRow(key));
  if (isFenced && !server.has(fenceRow(key))) server.append([server.entry(fenceRow(key))]);
  return answer(backend, "SETTLE", [{ isFenced }]);
}

function findKeys({ server }: Backend, keys: readonly string[]): readonly unknown[] {
  return keys.filter((key) => server.has(keyRow(key))).map((token) => ({ token }));
}

function endTransaction(backend: Backend, command: string): Reply {
  backend.rollBack();
  return answer(backend, command);
}

function answer(backend: Backend, command: string, rows: readonly unknown[] = []): Reply {
  return { ok: true, status: backend.status, rows, command };
}

/** An error ends what the transaction can do, except for a rollback. */
function fail(backend: Backend, code: Code): Reply {
  if (backend.status === "transaction") backend.status = "failed";
  return { ok: false, status: backend.status, code, isLast: false };
}
