import { shortest } from "./shortest.ts";

/** Statements that are remembered; the oldest one is forgotten, and has to prove itself again. */
const MAX_TEXTS = 1000;
/** A slower statement would hold up those behind it. */
const FAST_MS = 5;
/** So often a statement runs on a connection of its own before it is believed to be fast. */
const TRIALS = 3;

interface Pace {
  ms: number;
  runs: number;
}

/** How long the server takes for statements, by text. */
export class Paces {
  readonly #paces = new Map<string, Pace>();

  isFast(text: string): boolean {
    const pace = this.#paces.get(text);
    return pace !== undefined && pace.runs >= TRIALS && pace.ms <= FAST_MS;
  }

  /** Undefined for what is not known. In ms. */
  expectedMs(text: string): number | undefined {
    return this.#paces.get(text)?.ms;
  }

  note(text: string, ms: number): void {
    const pace = this.#paces.get(text);
    if (pace === undefined) {
      this.#paces.set(text, { ms, runs: 1 });
      if (this.#paces.size > MAX_TEXTS) this.#forgetOldest();
      return;
    }
    pace.ms = shortest(pace.ms, ms);
    pace.runs += 1;
  }

  /** It has held up others: it is slow until it has shown otherwise, by one run: it may have been the machine. */
  noteSlow(text: string, ms: number): void {
    this.#paces.set(text, { ms: Math.max(ms, 2 * FAST_MS), runs: TRIALS - 1 });
  }

  #forgetOldest(): void {
    for (const text of this.#paces.keys()) {
      this.#paces.delete(text);
      return;
    }
  }
}
