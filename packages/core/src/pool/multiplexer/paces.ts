import { shortest } from "./shortest.ts";

/** Statements that are remembered; the oldest one is forgotten, and has to prove itself again. */
const MAX_TEXTS = 1000;
/** A slower statement would hold up those behind it. */
const FAST_MS = 5;
/** So often a statement runs on a connection of its own before it is believed to be fast. */
const TRIALS = 3;
/** So many times as often after each time that it has held up others. */
const TRIALS_GROWTH = 4;
const MAX_TRIALS = 1024;
/** A run that takes longer than this is slow, whatever the machine does. */
const SLOW_MS = 50;

interface Pace {
  ms: number;
  /** In a row, none of them slow. */
  runs: number;
  trials: number;
}

/** How long the server takes for statements, by text. */
export class Paces {
  readonly #paces = new Map<string, Pace>();

  isFast(text: string): boolean {
    const pace = this.#paces.get(text);
    return pace !== undefined && pace.runs >= pace.trials && pace.ms <= FAST_MS;
  }

  /** Undefined for what is not known. In ms. */
  expectedMs(text: string): number | undefined {
    return this.#paces.get(text)?.ms;
  }

  note(text: string, ms: number): void {
    const pace = this.#paces.get(text);
    if (pace === undefined) {
      this.#paces.set(text, { ms, runs: 1, trials: TRIALS });
      if (this.#paces.size > MAX_TEXTS) this.#forgetOldest();
      return;
    }
    pace.ms = shortest(pace.ms, ms);
    // one that has proved itself needs more than a slow run to lose that: it may be the machine's
    pace.runs = ms >= SLOW_MS && pace.runs < pace.trials ? 0 : pace.runs + 1;
  }

  /**
   * It has held up others: it is slow until it has shown otherwise. What is fast for most values and slow for some holds up
   * others again and again: it has to show it for longer each time.
   */
  noteSlow(text: string, ms: number): void {
    const trials = Math.min(MAX_TRIALS, TRIALS_GROWTH * (this.#paces.get(text)?.trials ?? TRIALS));
    this.#paces.set(text, { ms: Math.max(ms, 2 * FAST_MS), runs: 0, trials });
  }

  #forgetOldest(): void {
    for (const text of this.#paces.keys()) {
      this.#paces.delete(text);
      return;
    }
  }
}
