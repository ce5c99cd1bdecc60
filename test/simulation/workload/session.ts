import { type PoolSession, type Result, SessionLostError } from "@mirrorpool/core";
import type { Random } from "../random.ts";
import type { Application, CallPlan, Outcome } from "./application.ts";
import { fateOf } from "./application.ts";
import type { Patience } from "./single.ts";
import { drawDuration, drawPatience, timeoutOf } from "./single.ts";

/** A session from `connect()`: some statements, perhaps transactions by hand, and at some point it is given back. */
export async function session(app: Application, random: Random, patience: Patience): Promise<void> {
  const connected = await app.call({ ...patience, kind: "control", text: "connect", limitMs: 1 }, (_, options) =>
    app.stage.pool.connect(options),
  );
  if (!connected.ok) return;
  const user = new SessionUser(app, random, connected.value);
  for (let index = random.integer(1, 4); index > 0; index -= 1) {
    if (user.isLost) break;
    await random.weighted<() => Promise<unknown>>([
      [3, () => user.transaction()],
      [2, () => user.write()],
      [2, () => user.read([])],
      [1, () => user.severalAtOnce()],
      [1, () => user.set()],
      [0.3, () => user.run("write", "LISTEN l")],
      [1, () => app.stage.clock.sleep(random.between(0, 200))],
    ])();
  }
  connected.value.release();
}

class SessionUser {
  readonly #app: Application;
  readonly #random: Random;
  readonly #session: PoolSession;
  readonly #holder: string;
  /** A transaction did not end as it should: no sane caller goes on with such a session. */
  isLost = false;
  /** What the session has set, in the order of the alphabet; unknown while several statements are under way. */
  #names: readonly string[] | "unknown" = [];

  constructor(app: Application, random: Random, given: PoolSession) {
    this.#app = app;
    this.#random = random;
    this.#session = given;
    this.#holder = app.newHolder();
  }

  run(kind: CallPlan["kind"], text: string, ownTokens: readonly string[] = []): Promise<Outcome<Result>> {
    return this.#run(kind, text, ownTokens).then(({ outcome }) => outcome);
  }

  read(ownTokens: readonly string[]): Promise<Outcome<Result>> {
    return this.run("read", `READ${drawDuration(this.#random)}`, ownTokens);
  }

  /** What is set is there for all that follows, wherever it runs. */
  async set(): Promise<void> {
    const name = this.#random.pick(["x", "y", "z"]);
    const outcome = await this.run("write", `SET ${name}${drawDuration(this.#random)}`);
    if (outcome.ok && this.#names !== "unknown") this.#names = [...new Set([...this.#names, name])].sort();
  }

  /** One of them may learn that all state is lost, and the next one be sent before the application knows. */
  async severalAtOnce(): Promise<void> {
    this.#names = "unknown";
    await Promise.all([this.read([]), this.write(), this.read([])]);
  }

  async write(): Promise<void> {
    const token = this.#app.newToken();
    const { outcome, call } = await this.#run("write", `WRITE ${token}${drawDuration(this.#random)}`, []);
    this.#app.claim(token, [token], fateOf(outcome), call);
  }

  /** BEGIN … COMMIT by hand, by a caller that may not care for errors in between. */
  async transaction(): Promise<void> {
    const random = this.#random;
    const begun = await this.run("write", "BEGIN");
    if (!begun.ok) return;
    const tokens: string[] = [];
    const done: string[] = [];
    for (let index = random.integer(0, 3); index > 0; index -= 1) {
      if (random.chance(0.4)) await this.read(done);
      const token = this.#app.newToken();
      tokens.push(token);
      const text = random.chance(0.05) ? "FAIL" : `WRITE ${token}${drawDuration(random)}`;
      const outcome = await this.run("write", text);
      if (outcome.ok && text !== "FAIL") done.push(token);
      if (random.chance(0.2)) await this.#app.stage.clock.sleep(random.between(0, 80));
    }
    await this.#finish(tokens, done);
  }

  async #finish(tokens: readonly string[], done: readonly string[]): Promise<void> {
    const app = this.#app;
    const unit = this.#holder;
    const end = this.#random.weighted<string>([
      [8, "COMMIT"],
      [2, "ROLLBACK"],
    ]);
    const { outcome, call } = await this.#run("write", end, []);
    const isCommitted = outcome.ok && outcome.value.command === "COMMIT";
    this.isLost = !outcome.ok;
    const fate = outcome.ok && !isCommitted ? "not-committed" : fateOf(outcome);
    app.claim(unit, done, fate, call);
    const rest = tokens.filter((token) => !done.includes(token));
    app.claim(`${unit}-failed`, rest, "not-committed", call);
  }

  async #run(
    kind: CallPlan["kind"],
    text: string,
    ownTokens: readonly string[],
  ): Promise<{ readonly outcome: Outcome<Result>; readonly call: number }> {
    const app = this.#app;
    const patience = drawPatience(this.#random);
    const limitMs = patience.timeoutMs ?? app.stage.setting.statementMs;
    let id = 0;
    const outcome = await app.call({ ...patience, kind, text, limitMs, ownTokens }, (call, options) => {
      id = call;
      const statement = { text, call, holder: this.#holder, names: this.#names };
      return this.#session.query(statement, undefined, { ...options, ...timeoutOf(patience) });
    });
    const isAsNew = !outcome.ok && outcome.error instanceof SessionLostError;
    if (isAsNew) this.#names = [];
    return { outcome, call: id };
  }
}
