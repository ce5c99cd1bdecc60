import { AsyncLocalStorage } from "node:async_hooks";
import type { ClientName } from "./options.ts";

/** Counts exceptions that would have ended a process without a listener for them. */
export interface UncaughtCounter extends Disposable {
  /** Runs what belongs to a client: what it leaves uncaught, then or later, is its own. */
  during<T>(client: ClientName, work: () => T): T;
  /** Those of the client, and those that nobody can be told to have left. */
  count(client: ClientName): number;
}

export function countUncaught(): UncaughtCounter {
  const owner = new AsyncLocalStorage<ClientName>();
  const counts = new Map<ClientName | undefined, number>();
  const onUncaught = (): void => {
    const client = owner.getStore();
    counts.set(client, (counts.get(client) ?? 0) + 1);
  };
  process.on("uncaughtException", onUncaught);
  process.on("unhandledRejection", onUncaught);
  return {
    during: (client, work) => owner.run(client, work),
    count: (client) => (counts.get(client) ?? 0) + (counts.get(undefined) ?? 0),
    [Symbol.dispose]() {
      process.off("uncaughtException", onUncaught);
      process.off("unhandledRejection", onUncaught);
    },
  };
}
