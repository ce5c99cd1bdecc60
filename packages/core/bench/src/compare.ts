import type { Measurement, Pace } from "./measure.ts";
import { measure } from "./measure.ts";
import { median, quantile } from "./statistics.ts";
import type { Cell, Client } from "./suite.ts";

/** One client's figures in one cell. A ratio over 1 is better than the reference. */
export interface Row {
  readonly work: string;
  readonly concurrency: number;
  readonly client: string;
  readonly reference: string;
  /** Median over the rounds of the ratio within each round. */
  readonly ratio: number;
  /** Median over the rounds. */
  readonly opsPerSecond: number;
  /** Over the timed operations of all rounds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Median over the rounds of the reference's 99th percentile over the client's, within each round. */
  readonly p99Ratio: number;
}

/** How long and how often. */
export interface Effort {
  readonly rounds: number;
  /** For each client and round. */
  readonly seconds: number;
  readonly pace: Pace;
}

/** Long enough for V8 to have compiled all that is in use: a client of more code would pay for that in the rounds that count. */
const WARM_UP_SECONDS = 2;

/**
 * Measures the clients of a cell in turn, in an order that rotates and turns round from round to round, so that whatever else the machine
 * does falls on all alike. The first of `rounds + 1` rounds warms up, takes longer and does not count.
 */
export async function compare(cell: Cell, effort: Effort): Promise<Row[]> {
  const { clients, concurrency } = cell;
  const measured = new Map<Client, Measurement[]>(clients.map((client) => [client, []]));
  for (let round = 0; round <= effort.rounds; round += 1) {
    for (const client of inTurn(clients, round)) {
      const isWarmUp = round === 0 && effort.pace === "steady";
      const seconds = isWarmUp ? Math.max(effort.seconds, WARM_UP_SECONDS) : effort.seconds;
      const one = await measureClient(client, concurrency, effort.pace, seconds);
      if (round > 0) measured.get(client)?.push(one);
    }
  }
  return rowsOf(cell, measured);
}

function measureClient(client: Client, concurrency: number, pace: Pace, seconds: number): Promise<Measurement> {
  if ("measure" in client) return client.measure(concurrency, pace, seconds);
  return measure(() => client.operation(), concurrency, pace, seconds);
}

/** Each begins as often as the others, and comes as often before its neighbour as after it: who comes second finds it warm. */
function inTurn<T>(items: readonly T[], round: number): T[] {
  const start = (round >> 1) % items.length;
  const rotated = [...items.slice(start), ...items.slice(0, start)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}

function rowsOf({ work, concurrency, clients, reference }: Cell, measured: ReadonlyMap<Client, Measurement[]>): Row[] {
  const speeds = (client: Client | undefined): number[] =>
    (client === undefined ? [] : (measured.get(client) ?? [])).map((each) => each.opsPerSecond);
  const latencies = (client: Client | undefined): number[] =>
    (client === undefined ? [] : (measured.get(client) ?? [])).flatMap((each) => [...each.latenciesMs]);
  const referenceClient = clients.find((client) => client.name === reference);
  const referenceSpeeds = speeds(referenceClient);
  const slowest = (client: Client | undefined): number[] =>
    (client === undefined ? [] : (measured.get(client) ?? [])).map((each) => quantile(each.latenciesMs, 0.99));
  const referenceSlowest = slowest(referenceClient);
  return clients.map((client) => {
    const own = speeds(client);
    const durations = latencies(client);
    return {
      work,
      concurrency,
      client: client.name,
      reference,
      ratio: median(own.map((speed, round) => speed / (referenceSpeeds[round] ?? Number.NaN))),
      opsPerSecond: median(own),
      p50Ms: quantile(durations, 0.5),
      p99Ms: quantile(durations, 0.99),
      p99Ratio: median(slowest(client).map((p99, round) => (referenceSlowest[round] ?? Number.NaN) / p99)),
    };
  });
}
