import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerKind } from "@mirrorpool/lab";
import type { Measurement, Pace } from "../measure.ts";

/** Which application a process opens. */
export interface Begin {
  readonly server: ServerKind;
  /** Its name. */
  readonly orm: string;
  /** The primary first. */
  readonly urls: readonly string[];
  readonly isMirrored: boolean;
}

/** What it is asked. */
export interface Request {
  readonly work: string;
  readonly concurrency: number;
  readonly pace: Pace;
  readonly seconds: number;
}

export type Answer = { readonly measurement: Measurement } | { readonly error: string };

/** For a process to come up, to answer beyond the time that it measures, and to go. */
const PATIENCE_MS = 30_000;

/**
 * An application in a process of its own, as users have it. Where several share one, what V8 has learned of a library's code from one
 * of them does not fit the other, and is thrown away at each turn.
 */
export class Elsewhere implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async open(begin: Begin): Promise<Elsewhere> {
    const child = fork(fileURLToPath(new URL("process.ts", import.meta.url)), [JSON.stringify(begin)], {
      execArgv: [...process.execArgv, "--no-flush-bytecode"],
    });
    const opened = new Elsewhere(child);
    await opened.#next(0);
    return opened;
  }

  async measure(request: Request): Promise<Measurement> {
    const answering = this.#next(request.seconds * 1000);
    this.#child.send(request);
    const answer = (await answering) as Answer;
    if ("error" in answer) throw new Error(answer.error);
    return answer.measurement;
  }

  /** Its next message. @throws where it ends instead, or is silent */
  async #next(busyMs: number): Promise<unknown> {
    const signal = AbortSignal.timeout(busyMs + PATIENCE_MS);
    const over = new AbortController();
    const ended = once(this.#child, "exit", { signal: over.signal }).then(([code]) => {
      throw new Error(`the process of an application has ended with ${code}`);
    });
    try {
      const [message] = (await Promise.race([once(this.#child, "message", { signal }), ended])) as unknown[];
      return message;
    } finally {
      ended.catch(() => {});
      over.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    this.#child.disconnect();
    await ended;
    clearTimeout(late);
  }
}
