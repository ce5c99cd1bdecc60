import { judgePlan } from "./plan-trial.ts";

/** A named statement is planned anew so often, before the server may keep a plan for it (PostgreSQL, "PREPARE", notes). */
export const CUSTOM_RUNS = 5;
/** Runs from a trial that went well to the next one: the data may have changed, or the values. Doubled each time. */
const FIRST_REST = 100;
const LONGEST_REST = 10_000;
/** Texts that are remembered; the one not used for longest is forgotten. */
const MAX_TEXTS = 1000;
/** Times of one kind that are kept in a trial: it ends with the kind that comes seldom. */
const MAX_TIMES = 20;

/** What is known of the plan that a server keeps for one text. */
export class KeptPlan {
  #isSlower = false;
  #prepared: number[] = [];
  #plain: number[] = [];
  /** Runs until the next trial. */
  #rest = 0;
  #nextRest = FIRST_REST;

  /** The text is never to be prepared again. */
  get isSlower(): boolean {
    return this.#isSlower;
  }

  /** Half of the runs are to be made without it. */
  get isOnTrial(): boolean {
    return this.#rest === 0 && !this.#isSlower;
  }

  /** @param how with the plan that the server keeps, or without. @param ms until the server was ready for the next statement */
  note(how: "prepared" | "plain", ms: number): void {
    if (this.#isSlower) return;
    if (this.#rest > 0) {
      this.#rest -= 1;
      return;
    }
    const times = how === "prepared" ? this.#prepared : this.#plain;
    if (times.length >= MAX_TIMES) times.shift();
    times.push(ms);
    const verdict = judgePlan({ prepared: this.#prepared, plain: this.#plain });
    if (verdict === undefined) return;
    this.#isSlower = verdict === "slower";
    this.#prepared = [];
    this.#plain = [];
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(LONGEST_REST, 2 * this.#nextRest);
  }
}

/** What is known of the plans that one node keeps, by text. Shared by its connections. Bounded. */
export class PlanWatch {
  readonly #plans = new Map<string, KeptPlan>();

  planOf(text: string): KeptPlan {
    const plan = this.#plans.get(text) ?? new KeptPlan();
    this.#plans.delete(text);
    this.#plans.set(text, plan);
    if (this.#plans.size > MAX_TEXTS) {
      for (const oldest of this.#plans.keys()) {
        this.#plans.delete(oldest);
        break;
      }
    }
    return plan;
  }
}
