import type { ServerKind } from "@mirrorpool/lab";
import type { Measurement, Pace } from "./measure.ts";
import type { System } from "./systems/system.ts";

/** One library, or one way of using it, doing the work of a cell. */
export type Client = ClientHere | ClientElsewhere;

/** In this process. */
export interface ClientHere {
  readonly name: string;
  /**
   * Does the work once. The number comes from the result, and is summed up: nobody can leave the work out. Undefined for what
   * belongs to the load, and whose own duration does not count.
   */
  operation(): Promise<number | undefined>;
}

/** In a process of its own. */
interface ClientElsewhere {
  readonly name: string;
  /** As `measure` does it here. */
  measure(concurrency: number, pace: Pace, seconds: number): Promise<Measurement>;
}

/** The same work by several clients, measured in turn. */
export interface Cell {
  readonly work: string;
  /** Callers at the same time, each of which awaits its operation before the next. */
  readonly concurrency: number;
  readonly clients: readonly Client[];
  /** Name of the client that all are compared with. */
  readonly reference: string;
}

/** What a client has to reach in every cell that this speaks of. */
export interface Target {
  readonly client: string;
  /** Only for this work; all where it is not given. */
  readonly work?: string;
  /** Only for so many callers; all where it is not given. */
  readonly concurrency?: number;
  /** Compared with this client of the same cell; with the cell's reference where it is not given. */
  readonly over?: string;
  /** What is compared: operations per second, or the 99th percentile of their durations. Over 1 is better in both. Default: speed. */
  readonly of?: "speed" | "p99";
  /** Least ratio. */
  readonly ratio: number;
}

/** Something else that a suite has measured, and not in comparison. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The target, where there is one. */
  readonly atMost?: number;
}

/** What a suite has to show besides its cells. Numbers stand to the right. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Findings {
  readonly figures: readonly Figure[];
  readonly tables?: readonly Table[];
}

/** A suite that is ready to run; disposing of it closes what it has opened. */
export interface OpenSuite extends AsyncDisposable {
  readonly cells: readonly Cell[];
  /** The database server that it runs on, where there is one. */
  readonly server?: string;
  /** Measured after the cells. @param note says on the terminal what is under way */
  findings?(note: (text: string) => void): Promise<Findings>;
}

/** A set of cells with a common preparation. A suite is one file in `suites/`, named in `suites/index.ts`. */
export interface Suite {
  readonly name: string;
  /** What is measured, in a line. */
  readonly title: string;
  /** What it runs on. Default: PostgreSQL, or nothing but this process. */
  readonly servers?: readonly ServerKind[];
  readonly pace: Pace;
  /** In place of the usual rounds, for work that takes long. */
  readonly effort?: { readonly rounds: number; readonly seconds: number };
  targets(system: System): readonly Target[];
  open(system: System): Promise<OpenSuite>;
}
