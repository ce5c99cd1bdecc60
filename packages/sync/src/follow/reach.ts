/**
 * How far the target is, for a stream whose messages come before they are written: beyond the last position that was written lies what
 * was not for the target at all, once everything that came before it is written.
 */
export class Reach {
  /** Messages that came, and those of them that were taken, and that are written. */
  #received = 0;
  #taken = 0;
  #written = 0;
  #through: string;
  /** After so many messages there was nothing for the target up to here. */
  #passed: { readonly received: number; readonly position: string } | undefined;

  constructor(position: string) {
    this.#through = position;
  }

  get through(): string {
    return this.#through;
  }

  noteReceived(): void {
    this.#received += 1;
  }

  noteTaken(): void {
    this.#taken += 1;
  }

  /** What was taken last is nothing to be written. */
  noteNothing(): void {
    if (this.#written === this.#taken - 1) this.#written = this.#taken;
    this.#settle();
  }

  /** There was nothing for the target up to here. In order with the messages. */
  notePassed(position: string): void {
    this.#passed = { received: this.#received, position };
    this.#settle();
  }

  /** Everything that was taken is written. */
  noteWritten(position: string): void {
    this.#written = this.#taken;
    this.#through = position;
    this.#settle();
  }

  #settle(): void {
    if (this.#passed === undefined || this.#passed.received > this.#written) return;
    if (this.#passed.received === this.#written) this.#through = this.#passed.position;
    this.#passed = undefined;
  }
}
