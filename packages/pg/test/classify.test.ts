import type { Fault } from "@mirrorpool/core";
import { NotSentError } from "@mirrorpool/core";
import { classify } from "@mirrorpool/pg";
import pg from "pg";
import { expect, test } from "vitest";

/** Every code that FACTS and the documentation of PostgreSQL and Node give a meaning to. */
const codes: Readonly<Record<Fault["kind"], readonly string[]>> = {
  gone: [
    ...["08000", "08001", "08003", "08004", "08006", "08P01", "57P01", "57P02", "57P04", "57P05", "25P03"],
    ...["ECONNRESET", "ECONNABORTED", "EPIPE", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"],
  ],
  "outcome-unknown": ["08007", "40003"],
  "not-ready": ["57P03"],
  "read-only": ["25006"],
  overloaded: ["53300", "EMFILE", "ENFILE"],
  "rolled-back": ["40001", "40P01"],
  configuration: [
    ...["28000", "28P01", "3D000"],
    ...["CERT_HAS_EXPIRED", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ...["ERR_TLS_CERT_ALTNAME_INVALID", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_OSSL_UNSUPPORTED"],
  ],
  refused: ["ECONNREFUSED", "ENOENT"],
  unreachable: ["ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"],
  silent: ["ETIMEDOUT"],
  stale: [], // said of an error by the connection on which the driver had prepared the statement
  statement: [
    // ordinary answers: syntax, constraint, permission, cancelled, lock not available, failed transaction
    ...["42601", "23505", "23503", "42501", "57014", "55P03", "25P02", "22P02", "42P01"],
    // disk full and out of memory: trying elsewhere would not help, and the connection is as good as before
    ...["53100", "53200", "26000", "0A000", "99999"],
  ],
};

const cases = Object.entries(codes).flatMap(([kind, list]) => list.map((code) => [code, kind] as const));

test.each(cases)("the code %s means %s", (code, kind) => {
  expect(classify(Object.assign(new Error("any text"), { code }))).toMatchObject({ kind, code });
});

test.each([
  ["28P01", "wrong user or password"],
  ["3D000", "there is no such database"],
  ["28000", "the role may not log in from here, see pg_hba.conf"],
])("what somebody has to mend is said in words: %s", (code, meaning) => {
  expect(classify(Object.assign(new Error("any text"), { code }))).toEqual({ kind: "configuration", code, meaning });
});

test("the text of an error means nothing", () => {
  expect(classify(new Error("Connection terminated unexpectedly"))).toEqual({ kind: "statement", code: undefined });
  const misleading = Object.assign(new pg.DatabaseError("terminating connection", 1, "error"), { code: "23505" });
  expect(classify(misleading)).toEqual({ kind: "statement", code: "23505" });
});

test("of several addresses one that refused is evidence, else the first counts", () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  const both = new AggregateError([error("EHOSTUNREACH"), error("ECONNREFUSED")]);
  expect(classify(both)).toEqual({ kind: "refused", code: "ECONNREFUSED" });
  const neither = new AggregateError([error("ETIMEDOUT"), error("EHOSTUNREACH")]);
  expect(classify(neither)).toEqual({ kind: "silent", code: "ETIMEDOUT" });
  expect(classify(new AggregateError([new AggregateError([error("ECONNREFUSED")])]))).toMatchObject({
    kind: "refused",
  });
  expect(classify(new AggregateError([]))).toMatchObject({ kind: "statement" });
});

test.each([undefined, null, "text", 7, {}, { code: 7 }, new NotSentError()])("%o is no fault of a node", (error) => {
  expect(classify(error)).toEqual({ kind: "statement", code: undefined });
});
