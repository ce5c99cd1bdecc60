import type { Contestant } from "../failover/contestants.ts";
import { ours } from "../failover/contestants.ts";
import { HUNG_MS, type Outcome } from "../failover/history.ts";
import { type Fault, MANAGER_MS, run } from "../failover/run.ts";
import { countUncaught } from "../failover/uncaught.ts";
import { median } from "../statistics.ts";
import type { Figure, Findings, Suite, Table } from "../suite.ts";
import type { System } from "../systems/system.ts";

const OUR_RUNS = 5;
const PEER_RUNS = 1;
const BEYOND_PROMOTION_MS = 50;
const AFTER_FREEZE_MS = 1200;
const BEYOND = "kill -9 to first write, beyond the promotion";

const KILL: Fault = {
  name: "kill -9 of the primary, the mirror is promoted at once",
  strike: (primary) => primary.kill(),
  promotion: "at once",
  wakesAfterMs: undefined,
};
const FREEZE: Fault = {
  name: `freeze of the primary, the mirror is promoted when the client says that it is lost, else after ${MANAGER_MS} ms; the primary wakes up 2 s later`,
  strike: (primary) => primary.freeze(),
  promotion: "told",
  wakesAfterMs: 2000,
};

interface Result {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
  readonly uncaught: number;
}

async function repeat(system: System, contestant: Contestant, fault: Fault, runs: number): Promise<Result> {
  using uncaught = countUncaught();
  const outcomes: Outcome[] = [];
  for (let count = 0; count < runs; count += 1) outcomes.push(await run(system, contestant, fault));
  return { name: contestant.name, outcomes, uncaught: uncaught.count };
}

const COLUMNS = [
  "client",
  "runs",
  "promotion ms",
  "first write ms",
  "worst",
  "beyond promotion ms",
  "worst ",
  "errors",
  `hung > ${HUNG_MS / 1000} s`,
  "longest call ms",
  "lost on superseded",
  "uncaught",
];

function tableOf(title: string, results: readonly Result[]): Table {
  const rows = results.map(({ name, outcomes, uncaught }) => {
    const times = (of: (outcome: Outcome) => number | undefined): number[] =>
      outcomes.map((outcome) => of(outcome) ?? Number.POSITIVE_INFINITY);
    const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, each) => total + of(each), 0);
    const first = times(({ firstWriteMs }) => firstWriteMs);
    const beyond = times(({ beyondMs }) => beyondMs);
    return [
      name,
      outcomes.length,
      milliseconds(median(times(({ promotionMs }) => promotionMs))),
      milliseconds(median(first)),
      milliseconds(Math.max(...first)),
      milliseconds(median(beyond)),
      milliseconds(Math.max(...beyond)),
      sum(({ errors }) => errors),
      sum(({ hung }) => hung),
      milliseconds(Math.max(...times(({ longestMs }) => longestMs))),
      sum(({ superseded }) => superseded),
      uncaught,
    ];
  });
  return { title, columns: COLUMNS, rows };
}

const milliseconds = (value: number): string => (Number.isFinite(value) ? String(Math.round(value)) : "never");

function figuresOf(
  { name, outcomes }: Result,
  what: string,
  of: (each: Outcome) => number | undefined,
  atMost: number,
): Figure[] {
  const values = outcomes.map((each) => of(each) ?? Number.POSITIVE_INFINITY);
  return [
    { name: `${name}: ${what}, median`, value: median(values), unit: "ms", atMost },
    { name: `${name}: ${what}, worst of ${values.length}`, value: Math.max(...values), unit: "ms" },
  ];
}

async function findings(system: System, note: (text: string) => void): Promise<Findings> {
  const play = async (fault: Fault, contestants: readonly Contestant[], runs: number): Promise<Result[]> => {
    const results: Result[] = [];
    for (const contestant of contestants) {
      note(`${fault.name}: ${contestant.name}`);
      results.push(await repeat(system, contestant, fault, runs));
    }
    return results;
  };
  // ours first: of the others some go on looking for their primary, long after they were closed
  const killed = await play(KILL, ours(system), OUR_RUNS);
  const frozen = await play(FREEZE, ours(system), OUR_RUNS);
  const killedPeers = await play(KILL, system.failover.peers, PEER_RUNS);
  const frozenPeers = await play(FREEZE, system.failover.peers, PEER_RUNS);
  return {
    tables: [tableOf(KILL.name, [...killed, ...killedPeers]), tableOf(FREEZE.name, [...frozen, ...frozenPeers])],
    figures: [
      ...killed.flatMap((result) => figuresOf(result, BEYOND, (each) => each.beyondMs, BEYOND_PROMOTION_MS)),
      ...frozen.flatMap((result) =>
        figuresOf(result, "freeze to first write", (each) => each.firstWriteMs, AFTER_FREEZE_MS),
      ),
    ],
  };
}

/** How long writes stand still when the primary is lost, and what the application sees meanwhile. */
export const failover: Suite = {
  name: "failover",
  title: "from the loss of the primary to the first write on the new one, eight callers that write",
  servers: ["postgres", "mariadb", "mysql"],
  pace: "steady",
  targets: () => [],
  open: async (system) => ({
    cells: [],
    findings: (note) => findings(system, note),
    [Symbol.asyncDispose]: async () => {},
  }),
};
