import type { Environment } from "./clock.ts";
import type { Config, NodeConfig } from "./config/resolve.ts";
import { Secret } from "./config/secret.ts";
import type { Connection } from "./driver.ts";

/** Opens connections to the nodes: finds the password, bounds the time, and asks for a new password when the old one is refused. */
export class Connector {
  readonly #config: Config;
  readonly #environment: Environment;
  readonly #passwords = new Map<string, string>();

  constructor(config: Config, environment: Environment) {
    this.#config = config;
    this.#environment = environment;
  }

  /**
   * @param parameters beside those of the node
   * @throws the driver's error, or the password function's
   */
  async open(
    node: NodeConfig,
    signal: AbortSignal,
    timeoutMs: number = this.#config.timeouts.connectMs,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<Connection> {
    const attempt = new AbortController();
    const onAbort = (): void => attempt.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = this.#environment.schedule(
      timeoutMs,
      () =>
        attempt.abort(
          Object.assign(new Error(`no connection to ${node.id} within ${timeoutMs} ms`), { code: "ETIMEDOUT" }),
        ),
      true,
    );
    try {
      return await this.#open({ ...node, parameters: { ...node.parameters, ...parameters } }, attempt.signal);
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #open(node: NodeConfig, signal: AbortSignal): Promise<Connection> {
    const known = this.#passwords.get(node.id);
    try {
      return await this.#connect(node, known ?? (await this.#askPassword(node, signal)), signal);
    } catch (error) {
      const isRefused = this.#config.driver.classify(error).kind === "configuration";
      // only a password that was asked for earlier can have grown old
      if (!isRefused || known === undefined || typeof node.password !== "function") throw error;
      this.#passwords.delete(node.id);
      return this.#connect(node, await this.#askPassword(node, signal), signal);
    }
  }

  #connect(node: NodeConfig, password: string | undefined, signal: AbortSignal): Promise<Connection> {
    const { driver, applicationName } = this.#config;
    const { host, port, database, user, tls, parameters } = node;
    return driver.connect(
      { node: node.id, host, port, database, user, password, tls, parameters, applicationName },
      signal,
    );
  }

  async #askPassword(node: NodeConfig, signal: AbortSignal): Promise<string | undefined> {
    if (node.password === undefined) return undefined;
    if (node.password instanceof Secret) return node.password.reveal();
    const password = await within(node.password(), signal);
    this.#passwords.set(node.id, password);
    return password;
  }
}

/** The application's function may never answer; the attempt ends all the same. */
function within<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
