import type { FailoverPool } from "@mirrorpool/core";
import type { Random } from "../../simulation/random.ts";
import { type History, type Operation, WrongAnswer } from "../history.ts";
import type { CampaignSystem } from "../system.ts";
import { ACCOUNTS, COUNTERS, OPENING_BALANCE } from "./bank.ts";
import { drawTransfer, type Step, statementsOf, transferByHand } from "./transfer.ts";

/** The deadline of each operation: no fault of the campaign lasts nearly as long. */
const TIMEOUT_MS = 30_000;
/** A transaction that reads what others change may have to start over when it is replayed. */
const RETRIES = 20;

/** What an application does with the pool, each call recorded. */
export class Operations {
  readonly #text: CampaignSystem["text"];
  readonly #pool: FailoverPool;
  readonly #history: History;
  #lastEntry: number | undefined;

  constructor({ text }: CampaignSystem, pool: FailoverPool, history: History) {
    this.#text = text;
    this.#pool = pool;
    this.#history = history;
  }

  /** A bank transfer by `pool.transaction`. */
  transfer(random: Random): Promise<Operation> {
    const transfer = drawTransfer(random);
    return this.#history.record("transfer", TIMEOUT_MS, (id) =>
      this.#pool.transaction(
        async (tx) => {
          for (const [text, values] of statementsOf(id, transfer)) await tx.query(this.#text(text), values);
        },
        { timeoutMs: TIMEOUT_MS },
      ),
    );
  }

  /** A bank transfer on a session, from BEGIN to COMMIT by hand; `before` is awaited before each step. */
  transferByHand(random: Random, before: (step: Step) => Promise<void> | void = () => {}): Promise<Operation> {
    const transfer = drawTransfer(random);
    const until = this.#history.now() + TIMEOUT_MS;
    return this.#history.record("transfer", TIMEOUT_MS, async (id) => {
      await using session = await this.#pool.connect();
      const left = (): number => Math.max(1, Math.floor(until - this.#history.now()));
      const query = (text: string, values: readonly unknown[]) =>
        session.query(this.#text(text), values, { timeoutMs: left() });
      await transferByHand(query, id, transfer, before);
    });
  }

  /** One row in the ledger of entries, as a single statement. */
  async append(): Promise<Operation> {
    const operation = await this.#history.record("append", TIMEOUT_MS, (id) =>
      this.#pool.query(this.#text("INSERT INTO entry (op) VALUES ($1)"), [id], { timeoutMs: TIMEOUT_MS }),
    );
    if (operation.outcome?.type === "acknowledged") this.#lastEntry = operation.id;
    return operation;
  }

  /** Adds one to a counter: by reading it, and writing what was read and one. */
  readModifyWrite(random: Random): Promise<Operation> {
    const counter = random.integer(1, COUNTERS);
    return this.#history.record("read-modify-write", TIMEOUT_MS, (id) =>
      this.#pool.transaction(
        async (tx) => {
          const locked = this.#text("SELECT value FROM counter WHERE id = $1 FOR UPDATE");
          const read = await tx.query<{ value: number }>(locked, [counter]);
          const seen = read.rows[0]?.value ?? Number.NaN;
          await tx.query(this.#text("UPDATE counter SET value = $1 WHERE id = $2"), [seen + 1, counter]);
          await tx.query(this.#text("INSERT INTO reading (op, counter, seen) VALUES ($1, $2, $3)"), [
            id,
            counter,
            seen,
          ]);
        },
        { timeoutMs: TIMEOUT_MS, retries: RETRIES },
      ),
    );
  }

  /** The money of all accounts, in one statement that any fresh node may answer. */
  sum(): Promise<Operation> {
    return this.#history.record("sum", TIMEOUT_MS, async () => {
      const { rows } = await this.#pool.query<{ sum: string }>("SELECT sum(balance) AS sum FROM account", [], {
        timeoutMs: TIMEOUT_MS,
      });
      const expected = ACCOUNTS * OPENING_BALANCE;
      // a sum is wider than a number, and comes as text
      if (Number(rows[0]?.sum) !== expected) throw new WrongAnswer(`a sum of ${rows[0]?.sum}, expected ${expected}`);
    });
  }

  /** The last entry that was acknowledged: it is there, once. */
  readBack(): Promise<Operation> {
    const entry = this.#lastEntry;
    return this.#history.record("read-back", TIMEOUT_MS, async () => {
      if (entry === undefined) return;
      const sql = this.#text("SELECT count(*) AS count FROM entry WHERE op = $1");
      const { rows } = await this.#pool.query<{ count: number | string }>(sql, [entry], { timeoutMs: TIMEOUT_MS });
      if (Number(rows[0]?.count) !== 1)
        throw new WrongAnswer(`entry ${entry}, acknowledged before: ${rows[0]?.count} times`);
    });
  }
}
