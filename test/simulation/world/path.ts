import type { HeldClock } from "../clock.ts";
import type { Random } from "../random.ts";

export type Direction = "up" | "down";

/** The network between the client process and one server. A blocked direction holds what is sent, as TCP does, until it heals. */
export class Path {
  readonly #clock: HeldClock;
  readonly #random: Random;
  readonly #baseMs: number;
  #extraMs = 0;
  readonly #blocked: Record<Direction, boolean> = { up: false, down: false };
  #held: (() => void)[] = [];

  constructor(clock: HeldClock, random: Random, baseMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#baseMs = baseMs;
  }

  block(...directions: readonly Direction[]): void {
    for (const direction of directions) this.#blocked[direction] = true;
  }

  isBlocked(direction: Direction): boolean {
    return this.#blocked[direction];
  }

  slowDown(extraMs: number): void {
    this.#extraMs = extraMs;
  }

  heal(): void {
    this.#blocked.up = false;
    this.#blocked.down = false;
    this.#extraMs = 0;
    const held = this.#held;
    this.#held = [];
    for (const send of held) send();
  }

  /** Retried once the path is open again. */
  hold(send: () => void): void {
    this.#held.push(send);
  }

  /** How long a message is on its way. */
  delayMs(): number {
    return this.#baseMs * this.#random.between(0.7, 1.5) + this.#extraMs * this.#random.between(0.5, 1);
  }

  /** At most, as the path is now. */
  get longestDelayMs(): number {
    return this.#baseMs * 1.5 + this.#extraMs;
  }

  /** A wire of its own for one connection. */
  wire(): Wire {
    return new Wire(this, this.#clock);
  }
}

/** One connection's two directions: what is sent later never arrives earlier. */
export class Wire {
  readonly #path: Path;
  readonly #clock: HeldClock;
  readonly #lastAt: Record<Direction, number> = { up: 0, down: 0 };

  constructor(path: Path, clock: HeldClock) {
    this.#path = path;
    this.#clock = clock;
  }

  send(direction: Direction, deliver: () => void): void {
    if (this.#path.isBlocked(direction)) {
      this.#path.hold(() => this.send(direction, deliver));
      return;
    }
    const { now } = this.#clock;
    const at = Math.max(this.#lastAt[direction], now + this.#path.delayMs());
    this.#lastAt[direction] = at;
    this.#clock.schedule(at - now, direction === "up" ? "server" : "socket", deliver);
  }
}
