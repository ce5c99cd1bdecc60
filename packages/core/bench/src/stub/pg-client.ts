import { EventEmitter } from "node:events";
import type { Result } from "@mirrorpool/core";
import { ANSWER } from "./driver.ts";

type Callback = (error?: Error | null, result?: Result) => void;

/** What `pg-pool` expects of a client, answering at once. */
export class StubPgClient extends EventEmitter {
  readonly _queryable = true;
  readonly _ending = false;

  connect(callback: Callback): void {
    process.nextTick(callback);
  }

  query(_text: string, _values: readonly unknown[] | undefined, callback: Callback): void {
    queueMicrotask(() => callback(null, ANSWER));
  }

  end(callback?: Callback): void {
    callback?.();
  }

  isConnected(): boolean {
    return true;
  }

  ref(): void {}

  unref(): void {}
}
