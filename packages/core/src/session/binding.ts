import type { Result, Statement, StatementFacts } from "../driver.ts";
import type { Lease } from "../pool/lease.ts";
import type { Demand } from "../routing/route.ts";
import { isSameState } from "../same-state.ts";
import type { NodeId } from "../topology/node.ts";
import { cutUnlessPrimary, maySend, TO_PRIMARY } from "./acquire.ts";
import { answerTo, type UnsentBegin } from "./begin.ts";
import type { SessionContext } from "./context.ts";
import { type Digest, digestResult } from "./digest.ts";
import { Journal } from "./journal.ts";
import { Recording } from "./recording.ts";

const PINNED = "the session has state that cannot move to another node";

/** The transaction that a session has open, and what it takes to run it again elsewhere. */
export interface OpenTransaction {
  /** A statement of it may have written: its COMMIT matters. */
  hasWritten: boolean;
  readonly recording: Recording;
  /** How often it was run again because the server had undone it in a conflict. */
  conflicts: number;
}

/**
 * What ties a session to a connection: the lease itself, a transaction that is open on it, and state that cannot move. What can
 * be carried over is in the journal, and outlives the connection.
 */
export class Binding {
  readonly #context: SessionContext;
  #lease: Lease | undefined;
  #transaction: OpenTransaction | undefined;
  #unsentBegin: UnsentBegin | undefined;
  #isPinned = false;
  /** A statement that failed may have left something on the connection. */
  #isTainted = false;
  readonly journal: Journal;
  readonly #onStateLost: (node: NodeId) => void;

  /** @param onStateLost called when the connection is lost that state ties the session to */
  constructor(context: SessionContext, onStateLost: (node: NodeId) => void) {
    this.#context = context;
    this.journal = new Journal(context.driver.states);
    this.#onStateLost = onStateLost;
  }

  get transaction(): OpenTransaction | undefined {
    return this.#transaction;
  }

  /** A BEGIN that waits for the statement after it: to the application its transaction is open. */
  get unsentBegin(): UnsentBegin | undefined {
    return this.#unsentBegin;
  }

  /** What the server last said of the transaction. */
  get transactionStatus(): "none" | "open" | "failed" {
    if (this.#unsentBegin !== undefined) return "open";
    if (this.#transaction === undefined) return "none";
    return this.#lease?.connection.status === "failed" ? "failed" : "open";
  }

  get isBound(): boolean {
    return this.#lease !== undefined;
  }

  get isPinned(): boolean {
    return this.#isPinned;
  }

  /** Gives back what was taken for one statement. */
  leaveShared(): void {
    if (this.#lease?.isShared === true) this.release();
  }

  /**
   * Gives a connection to the primary back that others wait for, where the session has nothing on it: they need not wait until
   * the application has worked off the answer. @returns whether it did
   */
  leaveToOthers(): boolean {
    const lease = this.#lease;
    if (lease === undefined || this.#context.pools.get(lease.node)?.isAwaited !== true) return false;
    const isTied = this.#transaction !== undefined || this.#unsentBegin !== undefined || this.#isPinned;
    if (isTied || this.#isTainted || this.journal.state !== undefined) return false;
    if (this.#context.cell.current.primary !== lease.node || lease.connection.status !== "idle") return false;
    this.release();
    return true;
  }

  /** The lease that the session has, where the statement must or may go on with it. */
  keep(demand: Demand): Lease | undefined {
    const held = this.#lease;
    if (held === undefined) return undefined;
    if (this.#transaction !== undefined || this.#isPinned) {
      cutUnlessPrimary(this.#context, held);
      return held;
    }
    if (held.connection.status === "idle" && this.#mayStay(demand, held)) return held;
    this.release();
    return undefined;
  }

  /** The lease to send on in this very tick; undefined when the topology moved while it was awaited: look again. */
  bind(demand: Demand, lease: Lease): Lease | undefined {
    this.#lease = lease;
    if (maySend(this.#context, demand, lease.node)) return lease;
    this.release();
    return undefined;
  }

  /** Whoever waits for the end of all work waits for that of its transaction. */
  holdBegin(begin: UnsentBegin): void {
    this.#unsentBegin = begin;
    this.#context.work.begin("write");
  }

  /** It is not to be sent any more. @returns what was held */
  dropBegin(): UnsentBegin | undefined {
    const begin = this.#unsentBegin;
    if (begin !== undefined) this.#context.work.end("write");
    this.#unsentBegin = undefined;
    return begin;
  }

  /** The server has answered the first statement of a transaction: that also answers the BEGIN that went with it. */
  noteBegun(): void {
    if (this.#lease?.connection.isInTransaction !== true) return;
    const begin = this.#unsentBegin;
    if (begin === undefined) return;
    this.noteAnswer(begin.statement, begin.facts, TO_PRIMARY, answerTo(begin.facts));
    this.dropBegin();
  }

  /** A session on the primary stays there: what it reads next may be what it has just written. */
  #mayStay(demand: Demand, held: Lease): boolean {
    const isOnPrimary = this.#context.cell.current.primary === held.node;
    return maySend(this.#context, isOnPrimary ? { ...demand, intent: "write" } : demand, held.node);
  }

  /**
   * The server has answered, be it with an error: takes over from its protocol whether a transaction is open, and records
   * what the application was told in it.
   * @param isCommitted the answer is that of a commit, which the ledger may have given in the connection's place
   */
  noteAnswer(
    statement: Statement,
    facts: StatementFacts,
    demand: Demand,
    answer: Result | Digest,
    isCommitted: boolean = false,
  ): void {
    const { counters, environment, config } = this.#context;
    const isRead = demand.intent === "read";
    counters.statements += 1;
    if (isRead) counters.reads += 1;
    else counters.writes += 1;
    // not its status: a connection that is lost in the moment of the answer takes an open transaction with it, and ends none
    const isOpen = !isCommitted && this.#lease?.connection.isInTransaction === true;
    const isError = typeof answer === "string";
    this.#noteState(statement, facts, isError ? undefined : answer.command, isOpen);
    const isChained = facts.transaction === "chain" && !isError;
    if (isOpen && this.#transaction !== undefined && (isChained || facts.implicitCommit === true)) {
      // the one before has ended and must never be run again
      this.#transaction = { hasWritten: false, recording: new Recording(config.replay), conflicts: 0 };
      this.#context.readYourWrites.note(environment.now());
    }
    if (isOpen && isChained) {
      // it has no BEGIN of its own
      this.#transaction ??= this.#begin(new Recording(config.replay));
      this.#transaction.recording.giveUp("it was begun by AND CHAIN");
    } else if (isOpen) {
      this.#transaction ??= this.#begin(new Recording(config.replay));
      const isControl = facts.transaction !== "none" && facts.transaction !== "mixed";
      if (!isRead && !isControl) this.#transaction.hasWritten = true;
      const { driver } = this.#context;
      const again = isError ? statement : (driver.again?.(statement, answer) ?? statement);
      this.#transaction.recording.add(again, facts, () => (typeof answer === "string" ? answer : digestResult(answer)));
    } else {
      this.endTransaction();
      // counted when it is complete: what a later read must see
      if (!isRead) this.#context.readYourWrites.note(environment.now());
    }
  }

  /** The wait for a statement has ended before its answer came, and the server is asked to give it up. */
  noteInterruption({ session, command }: StatementFacts): void {
    // an advisory lock may have been taken by then
    if (session === "pinned") this.#isTainted = true;
    // it fails the transaction: a replay without it would make whole again what the application was told is not
    this.#transaction?.recording.giveUp(`${command} was interrupted`);
  }

  #noteState(statement: Statement, facts: StatementFacts, command: string | undefined, isOpen: boolean): void {
    const trace = this.journal.note(statement, facts, command, isOpen);
    if (trace === "pinned") {
      this.#pin();
      // a statement that is known to do so is named by the recording itself
      if (facts.session !== "pinned") this.#transaction?.recording.giveUp(PINNED);
    }
    if (trace === "tainted") this.#isTainted = true;
    this.#keepState();
  }

  #pin(): void {
    if (this.#isPinned) return;
    this.#isPinned = true;
    const lease = this.#lease;
    lease?.connection.onClose(() => {
      if (this.#isPinned && this.#lease === lease) this.#onStateLost(lease.node);
    });
  }

  /** The connection has what the journal has, after each answer. */
  #keepState(): void {
    if (this.#lease !== undefined) this.#lease.pooled.state = this.journal.state;
  }

  #begin(recording: Recording): OpenTransaction {
    this.#context.work.begin("write");
    this.#context.counters.transactions += 1;
    if (this.#isPinned) recording.giveUp(PINNED);
    return { hasWritten: false, recording, conflicts: 0 };
  }

  endTransaction(): void {
    this.journal.abandon();
    if (this.#transaction === undefined) return;
    this.#transaction = undefined;
    this.#context.work.end("write");
  }

  /** The server has undone the open transaction, and the connection lives on. */
  undo(): void {
    if (this.journal.rollBack() === "pinned") this.#pin();
    this.#keepState();
    this.endTransaction();
  }

  /** Goes on with a connection on which the open transaction has just been run again, or a read has been answered. */
  move(lease: Lease): void {
    this.#lease = lease;
    this.#keepState();
  }

  /** Parts with the connection after the server's rollback, and keeps what is known of the transaction. */
  part(): void {
    const lease = this.#lease;
    this.#lease = undefined;
    // what was prepared in it outlives the rollback
    const isClean = isSameState(this.journal.state, this.journal.stateAtBegin);
    if (isClean && !this.#isTainted) lease?.release();
    else lease?.destroy();
    this.#isTainted = false;
  }

  /** Cuts the connection of the open transaction, and keeps what is known of it. */
  cut(): void {
    this.#lease?.destroy();
    this.#lease = undefined;
  }

  /** Lets the connection go; destroys it where a transaction or state would be left on it for the next one, or when told to. */
  release(how: "return" | "destroy" = "return"): void {
    const lease = this.#lease;
    const isDirty = this.#transaction !== undefined || this.#isPinned || this.#isTainted || how === "destroy";
    this.endTransaction();
    this.#isPinned = false;
    this.#isTainted = false;
    this.#lease = undefined;
    if (isDirty) lease?.destroy();
    else lease?.release();
  }
}
