import { EventEmitter } from "node:events";

/**
 * What stands where a `pg` client has its connection to the server. Libraries listen here for settings of the server, and
 * pg-pool destroys its stream when connecting takes too long; a query has nothing to find here.
 */
export class VirtualConnection extends EventEmitter {
  readonly parsedStatements: Readonly<Record<string, string>> = {};
  readonly stream: { destroy(error?: Error): void; setKeepAlive(): void };
  readonly ssl = false;

  /** @param onDestroy called when somebody destroys the stream */
  constructor(onDestroy: (error: Error | undefined) => void) {
    super();
    this.stream = Object.assign(new EventEmitter(), { destroy: onDestroy, setKeepAlive: () => {} });
  }
}
