import { shortest } from "./shortest.ts";

/** A round trip up to this is that of a near node. So long takes a probe at its server, with all around it. */
const NEAR_MS = 1;

/** How long what goes to a node and back is on its way, beyond what it takes to a near one. Told by the probes of the monitor. */
export class Distance {
  #roundTripMs: number | undefined;

  get ms(): number {
    return Math.max(0, (this.#roundTripMs ?? 0) - NEAR_MS);
  }

  /** A probe was answered after this time. */
  note(roundTripMs: number): void {
    this.#roundTripMs = shortest(this.#roundTripMs, roundTripMs);
  }
}
