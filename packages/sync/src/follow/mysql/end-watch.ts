import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import { onPrimary } from "../../querier.ts";
import { readEnd, readFiles } from "./source-log.ts";

const LOOK_MS = 1000;
const PATIENCE_MS = 10_000;

/** Asks the source now and then how far its log is: the log itself does not say what is still to come. */
export class EndWatch {
  readonly #from: FailoverPool;
  readonly #isMariadb: boolean;
  #stop: AbortController | undefined;
  #end: string | undefined;
  #files: readonly { readonly name: string; readonly bytes: number }[] | undefined;

  constructor(from: FailoverPool, isMariadb: boolean) {
    this.#from = from;
    this.#isMariadb = isMariadb;
  }

  /** The GTIDs up to which the source has written, as it was last told. */
  get end(): string | undefined {
    return this.#end;
  }

  /** Of the log, where the user may see them. */
  get files(): readonly { readonly name: string; readonly bytes: number }[] | undefined {
    return this.#files;
  }

  /** @param onOther called where another node than this one is the primary */
  start(node: string, onOther: () => void): void {
    this.stop();
    const stop = new AbortController();
    this.#stop = stop;
    void this.#run(stop.signal, node, onOther);
  }

  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#end = undefined;
    this.#files = undefined;
  }

  async #run(signal: AbortSignal, node: string, onOther: () => void): Promise<void> {
    while (!signal.aborted) {
      const { primary } = this.#from.topology();
      if (primary !== undefined && primary !== node) return onOther();
      try {
        const bounded = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
        const on = onPrimary(this.#from);
        const files = await readFiles(on, bounded);
        const told = { files, end: await readEnd(on, this.#isMariadb, bounded) };
        if (!signal.aborted) {
          this.#end = told.end;
          this.#files = told.files;
        }
      } catch {
        // whoever streams notices by itself that the source is lost
      }
      await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
