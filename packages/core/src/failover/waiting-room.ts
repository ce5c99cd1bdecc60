import type { Call } from "../call.ts";
import type { Environment, Timer } from "../clock.ts";
import type { TopologyCell } from "../topology/cell.ts";
import type { Topology } from "../topology/topology.ts";
import type { Waiter } from "../waiters.ts";
import { Waiters } from "../waiters.ts";

export interface WaitingRoomOptions {
  readonly maxWaiting: number;
  /** After a failover all processes of a fleet would start at the same moment; each waits a random part of this first. */
  readonly releaseJitterMs: number;
}

interface Guest extends Waiter<void> {
  readonly mayGo: (topology: Topology) => boolean;
}

/** Where statements wait for a topology that can serve them. Bounded; let go in the order in which they came. */
export class WaitingRoom {
  readonly #cell: TopologyCell;
  readonly #environment: Environment;
  readonly #options: WaitingRoomOptions;
  readonly #guests: Waiters<void, Guest>;
  readonly #unsubscribe: () => void;
  #release: Timer | undefined;

  constructor(cell: TopologyCell, environment: Environment, options: WaitingRoomOptions) {
    this.#cell = cell;
    this.#environment = environment;
    this.#options = options;
    this.#guests = new Waiters("waiting for a usable node", options.maxWaiting);
    this.#unsubscribe = cell.subscribe(() => this.#scheduleRelease());
  }

  get size(): number {
    return this.#guests.size;
  }

  /**
   * Resolves when `mayGo` holds for the topology; ends with `onEnd`'s error by the call's deadline, `limitMs` or its signal.
   * @throws {QueueFullError} at the bound
   */
  wait(
    call: Call,
    mayGo: (topology: Topology) => boolean,
    limitMs: number,
    onEnd: (cause: "deadline" | "limit" | "aborted") => unknown,
  ): Promise<void> {
    if (mayGo(this.#cell.current)) return Promise.resolve();
    let guest: Guest | undefined;
    return call.wait<void>(
      (resolve, reject) => {
        guest = { resolve, reject, mayGo };
        this.#guests.join(guest);
      },
      (cause) => {
        if (guest !== undefined) this.#guests.leave(guest);
        return onEnd(cause);
      },
      limitMs,
    );
  }

  close(error: () => unknown): void {
    this.#unsubscribe();
    this.#release?.cancel();
    this.#guests.rejectAll(error);
  }

  #scheduleRelease(): void {
    if (this.#release !== undefined || !this.#guests.some((guest) => guest.mayGo(this.#cell.current))) return;
    const delay = this.#options.releaseJitterMs * this.#environment.random();
    this.#release = this.#environment.schedule(
      delay,
      () => {
        this.#release = undefined;
        for (const guest of this.#guests.take((each) => each.mayGo(this.#cell.current))) guest.resolve();
      },
      true,
    );
  }
}
