import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fchownSync, fstatSync, openSync, readFileSync } from "node:fs";
import { LabError } from "../errors.ts";
import type { Account } from "../platform/account.ts";
import { freezeUnder, killUnder, processesUnder, thawUnder } from "../platform/processes.ts";
import { PROGRAM_ENV } from "../platform/program.ts";
import { until, type WaitOptions } from "../wait.ts";

/** How a server is asked to stop: wait for the clients to leave, disconnect them, or do not even write a checkpoint. */
export type StopMode = "smart" | "fast" | "immediate";

const LOG_TAIL_BYTES = 4_000;

/** The server process tree of one data directory. */
export interface Server {
  /** The main process, while it runs. */
  readonly pid: number | undefined;
  readonly isFrozen: boolean;
  /** Since when it does not answer, because it has ended or is frozen, by `performance.now()`; undefined while it runs. */
  readonly silentSince: number | undefined;
  /** Starts it and waits until it accepts connections. `more` are further arguments, for this time only. */
  start(wait?: WaitOptions, more?: readonly string[]): Promise<void>;
  /** Asks it to stop by this signal and waits until the last process is gone. Nothing happens when it does not run. */
  stop(signal: NodeJS.Signals, wait?: WaitOptions): Promise<void>;
  /** SIGKILL for the whole tree at once, frozen or not; resolves when it is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Makes it read its configuration files again. A frozen one does so when it thaws. */
  reload(): void;
  /** The last lines of its log, without passwords. */
  logTail(): string;
}

/** How the server of one data directory is started, and how it shows that it is. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** A folder with programs that it starts itself. */
  readonly path?: string;
  /**
   * How far it is: `"listening"` when its port is open, `"ready"` when it accepts connections.
   * @param pid the process that was started
   * @param log reads what it has written since
   */
  status(pid: number, log: () => string): "listening" | "ready" | undefined;
}

/** What a server is made of. */
export interface ServerOptions {
  readonly name: string;
  readonly launch: Launch;
  /** Its data directory, and working directory. */
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
  return new ServerTree(options);
}

class ServerTree implements Server {
  readonly #options: ServerOptions;
  #process: ChildProcess | undefined;
  #isFrozen = false;
  #silentSince: number | undefined = performance.now();
  /** Where this start's part of the log begins. */
  #logStart = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get silentSince(): number | undefined {
    return this.#silentSince;
  }

  async start(wait: WaitOptions = {}, more: readonly string[] = []): Promise<void> {
    const { name, launch } = this.#options;
    if (this.#process) throw new LabError("wrong-state", `${name} is running already`, { node: name });
    this.#spawn(more);
    let isListening = false;
    await until(
      `${name} to accept connections`,
      async () => {
        const { pid } = this;
        if (pid === undefined) {
          throw new LabError("server-failed", `${name} did not start${this.#explain()}`, { node: name });
        }
        const status = launch.status(pid, () => this.#log().subarray(this.#logStart).toString());
        if (status !== undefined && !isListening) {
          isListening = true;
          await this.#options.onListening(true);
        }
        return status === "ready";
      },
      { everyMs: 2, ...wait, explain: () => this.#explain() },
    );
  }

  #spawn(more: readonly string[]): void {
    const { launch, directory, logFile, account } = this.#options;
    const log = openSync(logFile, "a", 0o600);
    try {
      if (account) fchownSync(log, account.uid, account.gid);
      this.#logStart = fstatSync(log).size;
      const child = spawn(launch.program, [...launch.args, ...more], {
        cwd: directory,
        env:
          launch.path === undefined ? PROGRAM_ENV : { ...PROGRAM_ENV, PATH: `${launch.path}:${PROGRAM_ENV["PATH"]}` },
        stdio: ["ignore", log, log],
        // its own session: a Ctrl-C in the terminal is for us to handle
        detached: true,
        ...account,
      });
      const onEnd = () => {
        if (this.#process !== child) return;
        this.#process = undefined;
        this.#silentSince ??= performance.now();
        this.#isFrozen = false;
        // closing a listener does not fail
        void this.#options.onListening(false);
      };
      child.once("exit", onEnd);
      child.once("error", onEnd);
      // a forgotten cluster must not keep the application from ending
      child.unref();
      this.#process = child;
      this.#silentSince = undefined;
    } finally {
      closeSync(log);
    }
  }

  async stop(signal: NodeJS.Signals, wait: WaitOptions = {}): Promise<void> {
    const { name, directory } = this.#options;
    if (this.#isFrozen) {
      throw new LabError("wrong-state", `${name} is frozen and cannot stop: thaw or kill it`, { node: name });
    }
    this.#process?.kill(signal);
    await until(`${name} to stop (${signal})`, () => !this.#process && processesUnder(directory).length === 0, {
      everyMs: 3,
      ...wait,
      explain: () => this.#explain(),
    });
  }

  async kill(): Promise<void> {
    killUnder(this.#options.directory);
    // a process that Node has not reaped yet still has its pid, and a new one would refuse to start beside it
    await until(`${this.#options.name} to be gone`, () => !this.#process, { everyMs: 1 });
  }

  freeze(): void {
    const { name } = this.#options;
    if (!this.#process) throw new LabError("wrong-state", `${name} is not running`, { node: name });
    freezeUnder(this.#options.directory);
    this.#isFrozen = true;
    this.#silentSince ??= performance.now();
  }

  thaw(): void {
    thawUnder(this.#options.directory);
    this.#isFrozen = false;
    if (this.#process) this.#silentSince = undefined;
  }

  reload(): void {
    this.#process?.kill("SIGHUP");
  }

  logTail(): string {
    const text = this.#log().toString().slice(-LOG_TAIL_BYTES).trim();
    return this.#options.secrets.reduce((all, secret) => all.replaceAll(secret, "***"), text);
  }

  #log(): Buffer {
    try {
      return readFileSync(this.#options.logFile);
    } catch {
      return Buffer.alloc(0);
    }
  }

  #explain(): string {
    return `; the end of its log:\n${this.logTail()}`;
  }
}
