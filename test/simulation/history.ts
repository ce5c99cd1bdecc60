import type { Observation, PoolEventName } from "@mirrorpool/core";
import type { HeldClock } from "./clock.ts";
import type { Setting } from "./setting.ts";

/** What the pool's own topology said at a moment. */
export interface Stand {
  readonly epoch: number;
  readonly primary: string | undefined;
  readonly isWritable: boolean;
  readonly isSplit: boolean;
}

/** What became of the writes that stand or fall together, as the application was told. */
export type Fate = "committed" | "not-committed" | "unknown";

/** One thing that happened, as plain data. */
export type Happening =
  | { readonly type: "setting"; readonly seed: number; readonly setting: Setting }
  /** A call of the application begins. `deadline` is undefined for what has none of its own. */
  | {
      readonly type: "call";
      readonly call: number;
      /** The transaction that it is a part of. */
      readonly parent: number | undefined;
      readonly kind: string;
      readonly text: string;
      readonly deadline: number | undefined;
      /** Faults are over: it has to succeed. */
      readonly mustSucceed: boolean;
    }
  | { readonly type: "abort"; readonly call: number }
  | {
      readonly type: "end";
      readonly call: number;
      readonly error?: Failure;
      readonly reads?: readonly string[];
      readonly mustSee?: readonly string[];
    }
  /** What the application may conclude for `tokens`, all of one transaction or statement. */
  | {
      readonly type: "claim";
      readonly unit: string;
      readonly tokens: readonly string[];
      readonly fate: Fate;
      readonly call: number;
      /** Servers that have them all, at this moment. */
      readonly copies: number;
    }
  | {
      readonly type: "sent";
      readonly send: number;
      readonly call: number | undefined;
      /** Whose transaction or session it belongs to, as far as the connection knows. */
      readonly holder: string | undefined;
      readonly text: string;
      readonly connection: number;
      readonly node: string;
      readonly instance: string;
      readonly inTransaction: boolean;
      /** The connection holds state that cannot move. */
      readonly isPinned: boolean;
      readonly stand: Stand;
    }
  /** The answer to a statement reached the pool; none of these means that it never did. */
  | { readonly type: "answered"; readonly send: number; readonly code?: string; readonly command?: string }
  /** A server has committed a token. */
  | {
      readonly type: "applied";
      readonly token: string;
      readonly server: string;
      readonly timeline: number;
      /** The server had it already. */
      readonly isAgain: boolean;
    }
  /** The answer to a probe reached the pool. */
  | {
      readonly type: "observed";
      readonly node: string;
      /** The first that this connection was asked: it may turn out to lead elsewhere than the monitor's. */
      readonly isGreeting: boolean;
      readonly observation: Observation;
      /** When the server said so: on several connections answers overtake each other. */
      readonly toldAt: number;
    }
  | { readonly type: "event"; readonly name: PoolEventName; readonly data: object; readonly stand: Stand }
  | { readonly type: "fault"; readonly what: string }
  | { readonly type: "stall"; readonly forMs: number }
  | { readonly type: "warning"; readonly what: string }
  | { readonly type: "opened" | "closed"; readonly connection: number; readonly node: string }
  /** The pool broke the contract of a port, or let an error escape. */
  | { readonly type: "broken"; readonly what: string }
  /** After close() and some time. */
  | {
      readonly type: "final";
      readonly openConnections: readonly number[];
      readonly armedTimers: number;
      /** Reads that went to a second node as well, and those that it has answered first. */
      readonly hedged: number;
      readonly hedgesWon: number;
      /** What the last primary has. */
      readonly tokens: readonly string[];
    };

export interface Failure {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly isRetryable: boolean;
}

export type Recorded = Happening & { readonly at: number; readonly step: number };

/** All that happened in one simulation, in its order. */
export class History {
  readonly #clock: HeldClock;
  readonly #happenings: Recorded[] = [];

  constructor(clock: HeldClock) {
    this.#clock = clock;
  }

  get happenings(): readonly Recorded[] {
    return this.#happenings;
  }

  add(happening: Happening): void {
    this.#happenings.push({ at: this.#clock.now, step: this.#clock.steps, ...happening });
  }
}

/** One line for each thing that happened; equal histories give equal bytes. */
export function formatTrace(happenings: readonly Recorded[]): string {
  return happenings.map(formatLine).join("\n");
}

function formatLine({ at, step, type, ...facts }: Recorded): string {
  return `${at.toFixed(3).padStart(9)} ${String(step).padStart(5)} ${type.padEnd(8)} ${JSON.stringify(facts)}`;
}
