import type { Fault } from "@mirrorpool/core";
import { NotSentError } from "@mirrorpool/core";
import { classify } from "@mirrorpool/mysql2";
import { expect, test } from "vitest";

/** Every number and code that the documentation of MySQL, MariaDB, mysql2 and Node gives a meaning to. */
const codes: Readonly<Record<Fault["kind"], readonly (number | string)[]>> = {
  gone: [
    ...[1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031],
    ...["ECONNRESET", "ECONNABORTED", "EPIPE", "ERR_STREAM_DESTROYED", "ERR_STREAM_WRITE_AFTER_END"],
    ...["PROTOCOL_CONNECTION_LOST", "PROTOCOL_SEQUENCE_TIMEOUT", "PROTOCOL_UNEXPECTED_PACKET"],
  ],
  "outcome-unknown": [1180, 3100, 3101],
  "not-ready": [1047, 3032, 4094],
  "read-only": [1290, 1792, 1836, 1874],
  overloaded: [1040, 1203, 1226, "EMFILE", "ENFILE"],
  "rolled-back": [1213, 1614],
  configuration: [
    ...[1129, 1130, 1044, 1045, 1049, 1251, 1524, 1698, 3159],
    ...["HANDSHAKE_NO_SSL_SUPPORT", "CERT_HAS_EXPIRED", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ...["ERR_TLS_CERT_ALTNAME_INVALID", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_OSSL_UNSUPPORTED"],
  ],
  refused: ["ECONNREFUSED", "ENOENT"],
  unreachable: ["ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"],
  silent: ["ETIMEDOUT"],
  stale: [], // the connection prepares such a statement once more by itself
  statement: [
    // syntax, constraint, permission, interrupted, out of time: the transaction stays as it was
    ...[1064, 1062, 1452, 1142, 1317, 3024, 1969],
    // a lock wait undoes the statement alone
    1205,
    // prepare it once more
    ...[1243, 1615],
    // disk full, table full, out of memory: trying elsewhere would not help
    ...[1021, 1114, 1037, 9999, "ANY_OTHER"],
  ],
};

const cases = Object.entries(codes).flatMap(([kind, list]) => list.map((code) => [code, kind] as const));

/** As `mysql2` makes it from a server's error packet, or hands on what Node has made. */
const errorOf = (code: number | string): Error =>
  Object.assign(
    new Error("any text"),
    typeof code === "number" ? { errno: code, sqlState: "HY000", code: "ER_ANY" } : { errno: -111, code },
  );

test.each(cases)("%s means %s", (code, kind) => {
  expect(classify(errorOf(code))).toMatchObject({ kind, code: String(code) });
});

test.each([
  [1045, "wrong user or password"],
  [1049, "there is no such database"],
  [3159, "the server takes only connections with TLS"],
])("what somebody has to mend is said in words: %s", (number, meaning) => {
  expect(classify(errorOf(number))).toEqual({ kind: "configuration", code: String(number), meaning });
});

test("the text of an error means nothing", () => {
  const text = "The MariaDB server is running with the --read-only option so it cannot execute this statement";
  expect(classify(new Error(text))).toEqual({ kind: "statement", code: undefined });
  expect(classify(Object.assign(new Error(text), { errno: 1062, sqlState: "23000" }))).toMatchObject({
    kind: "statement",
  });
});

test("the number that Node gives to an error of the system is none of the server's", () => {
  const error = Object.assign(new Error("read ECONNRESET"), { errno: 1290, code: "ECONNRESET" });
  expect(classify(error)).toEqual({ kind: "gone", code: "ECONNRESET" });
});

test("of several addresses one that refused is evidence, else the first counts", () => {
  expect(classify(new AggregateError([errorOf("EHOSTUNREACH"), errorOf("ECONNREFUSED")]))).toEqual({
    kind: "refused",
    code: "ECONNREFUSED",
  });
  expect(classify(new AggregateError([errorOf("ETIMEDOUT"), errorOf("EHOSTUNREACH")]))).toEqual({
    kind: "silent",
    code: "ETIMEDOUT",
  });
  expect(classify(new AggregateError([]))).toMatchObject({ kind: "statement" });
});

test.each([undefined, null, "text", 7, {}, { code: 7 }, new NotSentError()])("%o is no fault of a node", (error) => {
  expect(classify(error)).toEqual({ kind: "statement", code: undefined });
});
