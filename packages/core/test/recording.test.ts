import { expect, test } from "vitest";
import { digestResult } from "../src/session/digest.ts";
import { Recording } from "../src/session/recording.ts";
import { facts } from "./fixtures.ts";

const circle: Record<string, unknown> = {};
circle["itself"] = circle;

test("an answer that cannot be compared ends the replay of its transaction, and nothing else", () => {
  const recording = new Recording({ maxStatements: 10, maxBytes: 1000 });
  const answer = { rows: [circle], rowCount: 1, command: "SELECT" };
  recording.add({ text: "SELECT" }, facts({ command: "SELECT" }), () => digestResult(answer));
  expect(recording.obstacle).toBe("the answer of SELECT cannot be compared with another one");
});

test.each([
  ["big integers", [[1n, 2n]]],
  ["an object that leads back to itself", [circle]],
])("a statement whose values JSON has no form for is recorded as any other: %s", (_, values) => {
  const recording = new Recording({ maxStatements: 10, maxBytes: 1000 });
  recording.add({ text: "INSERT", values }, facts(), () => "INSERT 1");
  expect(recording.statements).toHaveLength(1);
});

test("many values without a form for JSON count towards the bound on bytes", () => {
  const recording = new Recording({ maxStatements: 10, maxBytes: 1000 });
  recording.add({ text: "INSERT", values: [new Array(100).fill(1n)] }, facts(), () => "INSERT 1");
  expect(recording.obstacle).toBe("its statements take more than 1000 bytes");
});
