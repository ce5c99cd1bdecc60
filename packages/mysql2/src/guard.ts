type Role = "primary" | "mirror";

const TEXTS = { mirror: "SET SESSION TRANSACTION READ ONLY", primary: "SET SESSION TRANSACTION READ WRITE" } as const;

/**
 * Makes a mirror's session refuse writes itself, since `read_only` does not bind every user. It is told so, and told otherwise where
 * its node has become the primary, with its next statement.
 */
export class Guard {
  #role: Role = "primary";
  /** What the session was last told to be. */
  #told: Role = "primary";

  /** What its node is from now on. */
  set(role: Role): void {
    this.#role = role;
  }

  /** The session is still to be told. */
  get isDue(): boolean {
    return this.#told !== this.#role;
  }

  /** What tells it: it is going to be sent. */
  take(): string {
    this.#told = this.#role;
    return TEXTS[this.#role];
  }

  /** The session is as new. */
  forget(): void {
    this.#told = "primary";
  }
}
