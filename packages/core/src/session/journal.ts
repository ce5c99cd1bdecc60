import type { SessionState, SessionStates, Statement, StatementFacts } from "../driver.ts";
import { isSameState } from "../same-state.ts";

/**
 * What a statement means for the connection that it ran on:
 *
 * - `carried`: all that it has left there is in the journal
 * - `pinned`: it has left something that cannot be carried to another connection
 * - `tainted`: it failed and may have left something all the same, which nobody counts on and nobody may inherit
 */
export type Trace = "carried" | "pinned" | "tainted";

interface Savepoint {
  readonly name: string | undefined;
  readonly state: SessionState | undefined;
}

/** Savepoints that are remembered; a rollback to an earlier one ties the session if anything was set since. */
const MAX_SAVEPOINTS = 1000;

/**
 * What a session has set, as far as it can be carried over to another connection. Follows the transaction: what was set in
 * one is undone with it. Bounded by the driver, which keeps one entry for what is set again and again.
 */
export class Journal {
  readonly #states: SessionStates | undefined;
  #state: SessionState | undefined;
  /** Present while a transaction is open: the state at its BEGIN. */
  #begun: { readonly state: SessionState | undefined } | undefined;
  #savepoints: Savepoint[] = [];
  /** The open transaction has settings that end with it. */
  #hasLocal = false;

  constructor(states: SessionStates | undefined) {
    this.#states = states;
  }

  /** Of the session now, what the open transaction has set included. */
  get state(): SessionState | undefined {
    return this.#state;
  }

  /** Of the session when the open transaction began: what its replay starts from. */
  get stateAtBegin(): SessionState | undefined {
    return this.#begun === undefined ? this.#state : this.#begun.state;
  }

  /** The open transaction has set something: whether that stays depends on its outcome. */
  get isPending(): boolean {
    if (this.#begun === undefined) return false;
    const undone = this.#rolledBack(this.#begun.state);
    return undone === "pinned" || !isSameState(undone, this.#state);
  }

  /** The statement would tie the session to its connection: it belongs on the primary then. */
  wouldPin(statement: Statement, facts: StatementFacts): boolean {
    return this.#after(statement, facts) === "pinned";
  }

  /**
   * The server has answered a statement.
   * @param command what it answered; undefined for an error
   * @param isOpen whether a transaction is open now
   */
  note(statement: Statement, facts: StatementFacts, command: string | undefined, isOpen: boolean): Trace {
    const { transaction } = facts;
    // most statements: nothing begins, ends or is set
    const isPlain = transaction === "none" && facts.session === "none";
    if (isPlain && isOpen === (this.#begun !== undefined)) return isOpen ? "carried" : this.#useUp();
    let trace: Trace = "carried";
    const follow = (next: SessionState | undefined | "pinned"): void => {
      if (next === "pinned") trace = "pinned";
      else this.#state = next;
    };
    const isNext = this.#begun !== undefined && transaction === "begin" && facts.implicitCommit === true;
    if (isNext) follow(this.#end(true));
    if (isOpen && this.#begun === undefined) {
      this.#begun = { state: this.#state };
      this.#state = this.#usedUp();
    }
    // which of its statements took effect before one of them ended the transaction, or rolled back to a savepoint
    if (transaction === "mixed" && this.isPending) trace = "pinned";
    if (command === undefined) {
      // what is no command at all was refused before anything ran
      if (facts.session === "pinned" && facts.command !== "UNKNOWN") trace = "tainted";
    } else {
      if (isOpen) this.#noteSavepoint(facts, follow);
      if (facts.session === "pinned") trace = "pinned";
      else if (facts.session === "local") this.#hasLocal = isOpen;
      else if (facts.session !== "none") follow(this.#after(statement, facts));
    }
    const isChained = transaction === "chain" && command !== undefined;
    if (this.#begun !== undefined && (!isOpen || isChained)) {
      const isKept = command !== undefined && command !== "ROLLBACK" && transaction !== "rollback";
      follow(this.#end(isKept));
      if (isOpen) this.#begun = { state: this.#state };
    }
    return trace;
  }

  /** What was set for the next transaction alone is over, or may be: a single statement is one, but not every one. */
  #useUp(): Trace {
    const next = this.#usedUp();
    if (isSameState(next, this.#state)) return "carried";
    this.#state = next;
    return "tainted";
  }

  #usedUp(): SessionState | undefined {
    const begun = this.#states?.begun;
    return this.#state === undefined || begun === undefined ? this.#state : begun(this.#state);
  }

  #after(statement: Statement, { session }: StatementFacts): SessionState | undefined | "pinned" {
    // what was set for the transaction alone may be what a prepared statement depends on: a search path
    if (this.#states === undefined || (session === "prepared" && this.#hasLocal)) return "pinned";
    return this.#states.after(this.#state, statement);
  }

  #noteSavepoint(
    { transaction, savepoint: name }: StatementFacts,
    follow: (next: SessionState | undefined | "pinned") => void,
  ): void {
    const isOne = transaction === "savepoint" || transaction === "release" || transaction === "rollback-to";
    if (!isOne) return;
    if (transaction === "savepoint") {
      this.#savepoints.push({ name, state: this.#state });
      if (this.#savepoints.length > MAX_SAVEPOINTS) this.#savepoints.shift();
      return;
    }
    const place = name === undefined ? -1 : this.#savepoints.findLastIndex((each) => each.name === name);
    const found = this.#savepoints[place];
    if (transaction === "release") {
      if (found !== undefined) this.#savepoints.length = place;
      return;
    }
    this.#savepoints.length = place + 1;
    if (found !== undefined) follow(this.#rolledBack(found.state));
    else if (this.isPending) follow("pinned");
  }

  #rolledBack(before: SessionState | undefined): SessionState | undefined | "pinned" {
    if (this.#states === undefined || isSameState(this.#state, before)) return before;
    return this.#states.rolledBack(this.#state, before);
  }

  #end(isKept: boolean): SessionState | undefined | "pinned" {
    const next = isKept ? this.#state : this.#rolledBack(this.stateAtBegin);
    this.#begun = undefined;
    this.#savepoints = [];
    this.#hasLocal = false;
    return next;
  }

  /** The server has undone the open transaction. */
  rollBack(): Trace {
    const next = this.#end(false);
    if (next === "pinned") return next;
    this.#state = next;
    return "carried";
  }

  /** The open transaction, if there is one, is undone together with its connection. */
  abandon(): void {
    if (this.#begun === undefined) return;
    const { stateAtBegin } = this;
    const next = this.#end(false);
    this.#state = next === "pinned" ? stateAtBegin : next;
  }

  /** Forgets everything: the session is as new. */
  clear(): void {
    this.#end(true);
    this.#state = undefined;
  }
}
