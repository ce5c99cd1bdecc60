import type { Verdict } from "./judge.ts";
import { amount } from "./render.ts";
import type { Machine, Report } from "./report.ts";
import { describe } from "./report.ts";

const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

const HEADER = ["suite", "what", "callers", "measured", "target"];
const RULE = HEADER.map(() => "---");

/**
 * What was measured against its targets, as a table for a README, with the machine that it was measured on. Pure.
 * @param before the text with the table as it was: rows of suites that did not run stay
 */
export function renderMarkdown(reports: readonly Report[], machine: Machine, before: string = ""): string {
  const ran = new Set(reports.map(({ suite }) => suite));
  const kept = tableIn(before).filter((line) => !ran.has(line.split(" | ")[0]?.slice(2) ?? ""));
  const body = reports.flatMap(({ suite, verdicts }) => grouped(verdicts).map((group) => rowOf(suite, group)));
  const lines = [toLine(HEADER), toLine(RULE), ...kept, ...body.map(toLine)];
  return `${lines.join("\n")}\n\nMeasured by \`npm run bench\`: ${describe(machine)}.`;
}

const toLine = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** The rows between the markers. */
function tableIn(text: string): string[] {
  const lines = text.split("\n");
  const inside = lines.slice(lines.indexOf(BEGIN) + 1, Math.max(0, lines.indexOf(END)));
  return inside.filter((line) => line.startsWith("| ") && line !== toLine(HEADER) && line !== toLine(RULE));
}

/** The same with different numbers of callers is one line. */
function grouped(verdicts: readonly Verdict[]): Verdict[][] {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const key = `${verdict.what}\n${verdict.unit}`;
    groups.set(key, [...(groups.get(key) ?? []), verdict]);
  }
  return [...groups.values()].map((group) => group.sort((a, b) => (a.callers ?? 0) - (b.callers ?? 0)));
}

function rowOf(suite: string, group: readonly Verdict[]): string[] {
  const [first] = group as readonly [Verdict]; // a group begins with one
  const all = (text: (verdict: Verdict) => string): string => group.map(text).join(" / ");
  const same = (values: readonly number[]): boolean => new Set(values).size === 1;
  const show = (value: number): string => (first.bound === "at most" ? amount(value) : value.toFixed(2));
  const wanted = group.map((verdict) => verdict.wanted);
  return [
    suite,
    first.what,
    first.callers === undefined ? "" : all(({ callers }) => String(callers)),
    `${all(({ value, isMet }) => (isMet ? show(value) : `**${show(value)}**`))} ${first.unit}`,
    `${first.bound} ${(same(wanted) ? wanted.slice(0, 1) : wanted).map(show).join(" / ")}`,
  ].map((cell) => cell.replaceAll("|", "\\|"));
}

/** Puts the table between the two markers of a text. @throws {Error} when they are not there */
export function replaceBetweenMarkers(text: string, table: string): string {
  const lines = text.split("\n");
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END, begin + 1);
  if (begin < 0 || end < 0) throw new Error(`expected the markers ${BEGIN} and ${END}, each on a line, in this order`);
  return [...lines.slice(0, begin + 1), "", table, "", ...lines.slice(end)].join("\n");
}
