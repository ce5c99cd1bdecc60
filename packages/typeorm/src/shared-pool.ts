import type { FailoverPool, PoolInUse } from "@mirrorpool/core";

/** A failover pool that several pools of virtual clients use: given back by the last one that leaves, and opened anew after that. */
export class SharedPool {
  readonly #open: () => PoolInUse;
  #inUse: PoolInUse | undefined;
  #users = 0;

  constructor(open: () => PoolInUse) {
    this.#open = open;
  }

  get pool(): FailoverPool {
    this.#inUse ??= this.#open();
    return this.#inUse.pool;
  }

  enter(): void {
    this.#users += 1;
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const inUse = this.#inUse;
    this.#inUse = undefined;
    await inUse?.release();
  }
}
