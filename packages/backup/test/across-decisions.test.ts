import type { Form, Loss, NeutralType } from "@mirrorpool/sync/for-other-jobs";
import { expect, test } from "vitest";
import { conversionOf } from "../src/across/conversion.ts";
import { isLost } from "../src/across/is-lost.ts";
import { LineConverter } from "../src/across/line-converter.ts";
import { asDouble } from "../src/across/single-precision.ts";

const column = (neutral: NeutralType, form?: Form) => ({
  ...{ name: "c", neutral, isNullable: true, isCounted: false },
  ...(form && { form }),
});

test("lines are converted wherever they are cut, and what stays is not touched", () => {
  const given = "t\ta\\tb\\\\\t1.50\n\\N\t\\N\t\\N\nf\t\t-0.000\n";
  const conversions = [
    conversionOf(column({ kind: "boolean" }), "boolean"),
    undefined,
    conversionOf(column({ kind: "decimal", precision: 9, scale: 3 }), "decimal"),
  ];
  for (let size = 1; size <= given.length; size += 1) {
    const converter = new LineConverter(conversions);
    const parts: Buffer[] = [];
    for (let at = 0; at < given.length; at += size)
      parts.push(converter.convert(Buffer.from(given.slice(at, at + size))));
    expect(Buffer.concat(parts).toString()).toBe("1\ta\\tb\\\\\t1.5\n\\N\t\\N\t\\N\n0\t\t-0\n");
  }
});

test.each<readonly [NeutralType, Form | undefined, Form, string, string | null]>([
  [{ kind: "instant", digits: 6 }, undefined, "timestamp", "2024-01-01 00:00:00.5+00", "2024-01-01 00:00:00.5"],
  [{ kind: "own", name: "inet" }, undefined, "text", "::1", "::1/128"],
  [{ kind: "own", name: "inet" }, undefined, "text", "10.0.0.1", "10.0.0.1/32"],
  [{ kind: "bytes", length: 16 }, "bytes", "uuid", "\\\\xa0eebc999c0b4ef8bb6d6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
  [{ kind: "date" }, "date", "date-or-null", "2024-02-30", null],
  [{ kind: "timestamp", digits: 0 }, "timestamp", "timestamp-or-null", "2024-02-29 00:00:00", "2024-02-29 00:00:00"],
  [{ kind: "text", length: 5, bytes: undefined, isFixed: true, isUnicode: true }, undefined, "trimmed", "ä    ", "ä"],
])("%j in the form %s becomes %s: %s is %s", (neutral, stored, to, given, expected) => {
  expect(conversionOf(column(neutral, stored), to)?.(given)).toBe(expected);
}); // biome-ignore format: a table

test.each([
  ["7.038531e-26", 7.038530691851209e-26],
  ["0.1", Math.fround(0.1)],
  ["3.4028235e+38", 3.4028234663852886e38],
  ["1e-45", 1.401298464324817e-45],
  ["-16777216", -16777216],
])("the float of 32 bits %s is read back as itself", (text, expected) => {
  expect(Number(asDouble(text))).toBe(expected);
});

type Rule<R extends Loss["rule"]> = Omit<Extract<Loss, { rule: R }>, "column" | "reason">;
type AnyRule = { [R in Loss["rule"]]: Rule<R> }[Loss["rule"]];

test.each<readonly [AnyRule, NeutralType["kind"], readonly string[], readonly string[]]>([
  [{ rule: "whole-number", min: "-128", max: "127" }, "integer", ["-129", "128", "127.5", "NaN"], ["-128", "127", "127.0", "0"]],
  [{ rule: "digits", precision: 5, scale: 2 }, "decimal", ["1000", "-1.234"], ["999.990", "0999", "NaN"]],
  [{ rule: "not-finite" }, "float", ["NaN", "Infinity", "-Infinity"], ["1e308"]],
  [{ rule: "negative-zero" }, "float", ["-0"], ["0", "-0.5", "-1e-320"]],
  [{ rule: "single-precision" }, "float", ["0.1", "1e39"], ["0.5", "NaN"]],
  [{ rule: "length", characters: 2, bytes: undefined }, "text", ["abc", "\\tab"], ["\\t\\n", "🐘🐘"]],
  [{ rule: "length", characters: undefined, bytes: 2 }, "bytes", ["\\\\x000102"], ["\\\\x0001", "\\\\x"]],
  [{ rule: "nul" }, "text", ["a\0"], ["a\\\\0"]],
  [{ rule: "years", first: "0001-01-01", last: "9999-12-31" }, "timestamp", ["infinity", "10000-01-01 00:00:00", "0044-03-15 00:00:00 BC"], ["0001-01-01 00:00:00", "9999-12-31 23:59:59.9+00"]],
  [{ rule: "years", first: "1970-01-01 00:00:01", last: "2038-01-19 03:14:07" }, "instant", ["1970-01-01 00:00:00+00", "2038-01-19 03:14:08+00"], ["2038-01-19 03:14:07.999999+00"]],
  [{ rule: "fraction", digits: 3 }, "timestamp", ["2024-01-01 00:00:00.1234+00"], ["2024-01-01 00:00:00.12300", "12:00:00"]],
  [{ rule: "label", labels: ["a\tb"] }, "enum", ["a"], ["a\\tb"]],
  [{ rule: "zero-dates" }, "date", ["0000-00-00", "2023-02-29", "2024-13-01", "2024-01-00"], ["2024-02-29", "0001-01-01"]],
  [{ rule: "time-of-day" }, "time", ["-00:00:01", "24:00:01", "838:59:59"], ["24:00:00", "00:00:00.5"]],
])("%j of %s: %j would be lost, %j not", (rule, kind, lost, kept) => {
  const loss = { ...rule, column: "c", reason: "" } as Loss;
  expect(lost.filter((text) => !isLost(loss, kind, text))).toEqual([]);
  expect(kept.filter((text) => isLost(loss, kind, text))).toEqual([]);
}); // biome-ignore format: a table
