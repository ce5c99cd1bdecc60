import { RestoreWorker } from "@mirrorpool/backup";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { UnitWorker } from "@mirrorpool/sync";
import { findKey, findStore } from "../config/clusters.ts";
import type { Context } from "../context.ts";
import type { Outcome, Place, Request } from "./message.ts";

/** What a worker has open between two units: pools, and what it has read of the jobs. */
export class Workshop {
  readonly #context: Context;
  readonly #flags: { readonly store?: string; readonly keyFile?: string };
  readonly #pools = new Map<string, Promise<FailoverPool>>();
  readonly #between = new Map<string, Promise<UnitWorker>>();
  readonly #into = new Map<string, Promise<RestoreWorker>>();

  constructor(context: Context, flags: { readonly store?: string; readonly keyFile?: string }) {
    this.#context = context;
    this.#flags = flags;
  }

  /** Never rejects but for a signal. */
  async run({ unit, place }: Request, signal: AbortSignal): Promise<Outcome> {
    try {
      if (unit.kind === "restore") return await (await this.#restoring(place)).run(unit, signal);
      return await (await this.#moving(place)).run(unit, signal);
    } catch (error) {
      // a cluster that this worker does not know, or cannot reach
      const message = error instanceof Error ? error.message : String(error);
      return { what: "failed", isPassing: false, code: undefined, message };
    }
  }

  #moving(place: Place): Promise<UnitWorker> {
    if (!("from" in place)) throw new Error("the unit does not say where it is from");
    const { from, to } = place;
    return kept(
      this.#between,
      `${from}\n${to}`,
      async () => new UnitWorker(await this.#pool(from), await this.#pool(to)),
    );
  }

  #restoring(place: Place): Promise<RestoreWorker> {
    if (!("into" in place)) throw new Error("the unit does not say where it goes");
    return kept(this.#into, `${place.into}\n${place.of}`, async () => {
      const source = await this.#context.cluster(place.of);
      const { environment } = this.#context.world;
      const from = findStore(this.#flags.store, source, environment);
      const encryption = findKey(this.#flags.keyFile, source, environment);
      return new RestoreWorker(await this.#pool(place.into), { from, encryption });
    });
  }

  #pool(name: string): Promise<FailoverPool> {
    return kept(this.#pools, name, async () => {
      const { pool } = await this.#context.cluster(name);
      return createPool({ applicationName: "mirrorpool worker", ...pool });
    });
  }

  async close(): Promise<void> {
    const settled = async <T>(all: Map<string, Promise<T>>): Promise<T[]> =>
      (await Promise.allSettled(all.values())).flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    for (const worker of await settled(this.#between)) await worker.close();
    for (const worker of await settled(this.#into)) worker.close();
    await Promise.all((await settled(this.#pools)).map((pool) => pool.close({ timeoutMs: 1000 })));
  }
}

/** Made once, and again after it could not be made. */
function kept<T>(all: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const made = all.get(key) ?? make();
  all.set(key, made);
  made.catch(() => all.delete(key));
  return made;
}
