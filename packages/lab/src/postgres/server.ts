import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fchownSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import type { Account } from "../platform/account.ts";
import { freezeUnder, killUnder, processesUnder, thawUnder } from "../platform/processes.ts";
import { until, type WaitOptions } from "../wait.ts";
import { PROGRAM_ENV } from "./program.ts";

/** How PostgreSQL is asked to stop; see "Shutting Down the Server" in its manual. */
export type StopMode = "smart" | "fast" | "immediate";

const STOP_SIGNALS = { smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT" } as const satisfies Record<
  StopMode,
  NodeJS.Signals
>;
const LOG_TAIL_BYTES = 4_000;

/** The server process tree of one data directory. */
export interface Server {
  /** The postmaster, while it runs. */
  readonly pid: number | undefined;
  readonly isFrozen: boolean;
  /** Starts it and waits until it accepts connections (a mirror: read-only ones). */
  start(wait?: WaitOptions): Promise<void>;
  /** Asks it to stop and waits until the last process is gone. Nothing happens when it does not run. */
  stop(mode: StopMode, wait?: WaitOptions): Promise<void>;
  /** SIGKILL for the whole tree at once, frozen or not; resolves when it is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Makes it read its configuration files again. A frozen one does so when it thaws. */
  reload(): void;
  /** The last lines of its log, without passwords. */
  logTail(): string;
}

/** What a server is made of. */
export interface ServerOptions {
  readonly name: string;
  readonly postgres: string;
  readonly directory: string;
  readonly logFile: string;
  readonly account: Account | undefined;
  /** Texts that must not appear in errors. */
  readonly secrets: readonly string[];
  /** Called when it listens on its port, and when it is gone. */
  readonly onListening: (isListening: boolean) => Promise<void>;
}

/** Makes a server that does not run yet. */
export function createServer(options: ServerOptions): Server {
  return new PostgresServer(options);
}

class PostgresServer implements Server {
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;
  #isFrozen = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  async start(wait: WaitOptions = {}): Promise<void> {
    const { name } = this.#options;
    if (this.#process) throw new LabError("wrong-state", `${name} is running already`, { node: name });
    this.#spawn();
    let isListening = false;
    await until(
      `${name} to accept connections`,
      async () => {
        if (!this.#process) {
          throw new LabError("server-failed", `${name} did not start${this.#explain()}`, { node: name });
        }
        const status = this.#status();
        if (status !== undefined && !isListening) {
          isListening = true;
          await this.#options.onListening(true);
        }
        return status === "ready";
      },
      { everyMs: 2, ...wait, explain: () => this.#explain() },
    );
  }

  #spawn(): void {
    const { postgres, directory, logFile, account } = this.#options;
    const log = openSync(logFile, "a", 0o600);
    try {
      if (account) fchownSync(log, account.uid, account.gid);
      const child = spawn(postgres, ["-D", directory], {
        cwd: directory,
        env: PROGRAM_ENV,
        stdio: ["ignore", log, log],
        // its own session: a Ctrl-C in the terminal is for us to handle
        detached: true,
        ...account,
      });
      const onEnd = () => {
        if (this.#process !== child) return;
        this.#process = undefined;
        this.#isFrozen = false;
        // closing a listener does not fail
        void this.#options.onListening(false);
      };
      child.once("exit", onEnd);
      child.once("error", onEnd);
      // a forgotten cluster must not keep the application from ending
      child.unref();
      this.#process = child;
    } finally {
      closeSync(log);
    }
  }

  /** Line 8 of postmaster.pid, which pg_ctl uses too. It is written after the ports were opened. */
  #status(): string | undefined {
    try {
      const lines = readFileSync(join(this.#options.directory, "postmaster.pid"), "utf8").split("\n");
      // the file of a killed predecessor stays until it is overwritten
      return Number(lines[0]) === this.pid ? lines[7]?.trim() || undefined : undefined;
    } catch {
      return undefined;
    }
  }

  async stop(mode: StopMode, wait: WaitOptions = {}): Promise<void> {
    const { name, directory } = this.#options;
    if (this.#isFrozen) {
      throw new LabError("wrong-state", `${name} is frozen and cannot stop: thaw or kill it`, { node: name });
    }
    this.#process?.kill(STOP_SIGNALS[mode]);
    await until(`${name} to stop (${mode})`, () => !this.#process && processesUnder(directory).length === 0, {
      everyMs: 3,
      ...wait,
      explain: () => this.#explain(),
    });
  }

  async kill(): Promise<void> {
    killUnder(this.#options.directory);
    // a postmaster that Node has not reaped yet still has its pid, and a new one would refuse to start beside it
    await until(`${this.#options.name} to be gone`, () => !this.#process, { everyMs: 1 });
  }

  freeze(): void {
    const { name } = this.#options;
    if (!this.#process) throw new LabError("wrong-state", `${name} is not running`, { node: name });
    freezeUnder(this.#options.directory);
    this.#isFrozen = true;
  }

  thaw(): void {
    thawUnder(this.#options.directory);
    this.#isFrozen = false;
  }

  reload(): void {
    this.#process?.kill("SIGHUP");
  }

  logTail(): string {
    let text: string;
    try {
      text = readFileSync(this.#options.logFile, "utf8").slice(-LOG_TAIL_BYTES).trim();
    } catch {
      return "";
    }
    return this.#options.secrets.reduce((all, secret) => all.replaceAll(secret, "***"), text);
  }

  #explain(): string {
    return `; the end of its log:\n${this.logTail()}`;
  }
}
