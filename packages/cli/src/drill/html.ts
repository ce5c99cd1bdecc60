import { count, duration } from "../output/format.ts";
import type { DrillReport, FaultReport } from "./report.ts";

const WIDTH = 1000;
const LANE = 140;
const LEFT = 60;
const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#1c2530;background:#fff}
h1{font-size:1.5rem;margin-bottom:.2rem}table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{text-align:left;padding:.35rem .7rem .35rem 0;border-bottom:1px solid #dde3ea;vertical-align:top}
th{font-weight:600;color:#566}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:#566}
.good{color:#17703c}.bad{color:#b3261e;font-weight:600}code{font-size:.9em;background:#f2f5f8;padding:.1em .3em}
@media(prefers-color-scheme:dark){body{background:#14181d;color:#dde3ea}th,svg text{color:#9ab;fill:#9ab}td,th{border-color:#2b333c}code{background:#222932}
.good{color:#6fd19a}.bad{color:#ff8a80}}`;

/** A page of its own: nothing is loaded from elsewhere. */
export function drillPage(report: DrillReport): string {
  const verdict =
    report.problems.length > 0
      ? `<p class="bad">${report.problems.map(escapeHtml).join("<br>")}</p>`
      : '<p class="good">The data is as it has to be.</p>';
  const errors = Object.entries(report.codes).sort(([, one], [, other]) => other - one);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Failover drill of ${escapeHtml(report.startedAt)}</title><style>${STYLE}</style>
<h1>Failover drill</h1>
<p>${escapeHtml(report.startedAt)}, ${duration(report.durationMs)}, workload <code>${escapeHtml(report.workload)}</code>, ${report.callers} callers,
a primary and ${report.mirrors} mirrors. ${count(report.done)} operations ended well, ${count(report.failed)} with an error.</p>
${verdict}
${timeline(report)}
<table><tr><th>fault<th>what happened<th class="n">longest pause<th class="n">done<th class="n">errors</tr>
${report.faults.map(faultRow).join("\n")}</table>
${errors.length === 0 ? "" : `<h2>Errors</h2><table><tr><th>code<th class="n">times<th>such as</tr>${errors.map(([code, times]) => errorRow(report, code, times)).join("")}</table>`}
<h2>Events</h2><table><tr><th class="n">at<th>event<th></tr>
${report.events.map(({ at, name, event }) => `<tr><td class="n">${seconds(at)}<td>${escapeHtml(name)}<td><code>${escapeHtml(JSON.stringify(event).slice(0, 300))}</code></tr>`).join("\n")}</table>
</html>
`;
}

function faultRow({ name, description, notes, longestGapMs, done, failed, at }: FaultReport): string {
  const steps = notes.map((note) => `<br>${seconds(note.at)}: ${escapeHtml(note.what)}`).join("");
  return `<tr><td>${escapeHtml(name)}<br>${seconds(at)}<td>${escapeHtml(description)}${steps}<td class="n">${duration(longestGapMs)}<td class="n">${count(done)}<td class="n${failed > 0 ? " bad" : ""}">${count(failed)}</tr>`;
}

function errorRow({ errors }: DrillReport, code: string, times: number): string {
  const message = errors.find((each) => each.code === code)?.message ?? "";
  return `<tr><td><code>${escapeHtml(code)}</code><td class="n">${times}<td>${escapeHtml(message.slice(0, 300))}</tr>`;
}

/** Two lanes over time: operations that ended, and the slowest of them; faults behind. */
function timeline({ slots, faults, durationMs }: DrillReport): string {
  const x = (at: number): number => LEFT + ((WIDTH - LEFT) * at) / Math.max(1, durationMs);
  const most = Math.max(1, ...slots.map(({ done, failed }) => done + failed));
  const slowest = Math.max(1, ...slots.map(({ slowestMs }) => slowestMs));
  const width = Math.max(0.5, x(100) - x(0));
  const bar = (at: number, from: number, to: number, colour: string): string =>
    to <= 0
      ? ""
      : `<rect x="${round(x(at))}" y="${round(20 + LANE - ((from + to) * LANE) / most)}" width="${round(width)}" height="${round((to * LANE) / most)}" fill="${colour}"/>`;
  const bars = slots
    .map(({ at, done, failed }) => bar(at, 0, done, "#2f80c2") + bar(at, done, failed, "#d93025"))
    .join("");
  // a logarithm: a pause of seconds beside milliseconds
  const y = (ms: number): number => 60 + 2 * LANE - (LANE * Math.log10(1 + ms)) / Math.log10(1 + slowest);
  const points = slots
    .filter(({ slowestMs }) => slowestMs > 0)
    .map(({ at, slowestMs }) => `${round(x(at))},${round(y(slowestMs))}`);
  const bands = faults
    .map(({ at, writableAt, healedAt, name }) => {
      const end = x(writableAt ?? healedAt);
      return `<rect x="${round(x(at))}" y="20" width="${round(Math.max(1, end - x(at)))}" height="${2 * LANE + 40}" fill="#e8a33d" opacity=".35"/>
<rect x="${round(end)}" y="20" width="${round(Math.max(0, x(healedAt) - end))}" height="${2 * LANE + 40}" fill="#9aa7b5" opacity=".18"/>
<text x="${round(x(at))}" y="14">${escapeHtml(name)}</text>`;
    })
    .join("");
  const step = durationMs > 60_000 ? 10_000 : durationMs > 20_000 ? 5000 : 1000;
  const ticks = Array.from({ length: Math.floor(durationMs / step) + 1 }, (_, index) => index * step)
    .map((at) => `<text x="${round(x(at))}" y="${2 * LANE + 78}">${at / 1000} s</text>`)
    .join("");
  return `<svg viewBox="0 0 ${WIDTH} ${2 * LANE + 84}" role="img" aria-label="operations and their slowest over time">
${bands}${bars}<polyline points="${points.join(" ")}" fill="none" stroke="#7b4bb7" stroke-width="1.5"/>
<text x="0" y="32">${10 * most}/s</text><text x="0" y="${18 + LANE}">0</text><text x="0" y="${60 + LANE + 12}">${duration(slowest)}</text><text x="0" y="${60 + 2 * LANE}">1 ms</text>
${ticks}</svg>
<p><span style="color:#2f80c2">■</span> operations that ended well, <span style="color:#d93025">■</span> with an error, <span style="color:#7b4bb7">▬</span> the slowest of them
(logarithmic); <span style="color:#e8a33d">■</span> fault until writes go again, <span style="color:#9aa7b5">■</span> until the cluster is whole.</p>`;
}

const round = (value: number): number => Math.round(10 * value) / 10;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
