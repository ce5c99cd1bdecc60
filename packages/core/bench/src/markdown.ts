import type { Verdict } from "./judge.ts";
import { amount } from "./render.ts";
import type { Machine, Report } from "./report.ts";
import { describe } from "./report.ts";

const BEGIN = "<!-- bench:begin -->";
const END = "<!-- bench:end -->";

/** What was measured against its targets, as a table for a README, with the machine that it was measured on. Pure. */
export function renderMarkdown(reports: readonly Report[], machine: Machine): string {
  const header = ["suite", "what", "callers", "measured", "target"];
  const body = reports.flatMap(({ suite, verdicts }) => grouped(verdicts).map((group) => rowOf(suite, group)));
  const lines = [header, header.map(() => "---"), ...body].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n\nMeasured by \`npm run bench\`: ${describe(machine)}.`;
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
