import type { Pace } from "./measure.ts";

/** One library, or one way of using it, doing the work of a cell. */
export interface Client {
  readonly name: string;
  /** Does the work once. The number comes from the result, and is summed up: nobody can leave the work out. */
  operation(): Promise<number>;
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

/** What a client has to reach in every cell where it is measured. */
export interface Target {
  readonly client: string;
  /** Only for this work; all where it is not given. */
  readonly work?: string;
  /** Least ratio to the reference. */
  readonly ratio: number;
}

/** Something else that a suite has measured, once and not in comparison. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** A suite that is ready to run; disposing of it closes what it has opened. */
export interface OpenSuite extends AsyncDisposable {
  readonly cells: readonly Cell[];
  figures?(): Promise<readonly Figure[]>;
}

/** A set of cells with a common preparation. A suite is one file in `suites/`, named in `suites/index.ts`. */
export interface Suite {
  readonly name: string;
  /** What is measured, in a line. */
  readonly title: string;
  readonly pace: Pace;
  readonly targets: readonly Target[];
  open(): Promise<OpenSuite>;
}
