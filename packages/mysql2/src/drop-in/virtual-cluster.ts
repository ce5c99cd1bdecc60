import { type FailoverPool, type NodeOptions, OptionsError, PoolClosedError } from "@mirrorpool/core";
import { classes } from "./internals.ts";
import { ADDRESS_OPTIONS, type Given, isFailoverPool } from "./options.ts";
import { common, nodeOf, readGiven, resolveSource, type SharedSource } from "./source.ts";
import { VirtualPool } from "./virtual-pool.ts";
import type { Source } from "./virtual-session.ts";

/** Names by which applications ask for the server that takes writes. */
const PRIMARY = /^(master|primary|writer?|main|rw)/i;

/**
 * `mysql2`'s cluster of pools, all of them on one failover pool: patterns and selectors say under which names a connection is
 * asked for, and the failover pool where its statements go. No name is ever removed because its node is lost.
 */
export class VirtualPoolCluster extends classes.PoolCluster {
  readonly #given: Given;
  readonly #shared: SharedSource | undefined;
  /** As they were added, by their names; complete when the failover pool is made. */
  #nodes: (NodeOptions & { readonly name: string })[] = [];
  #settings: Given = {};
  #source: Source | undefined;

  constructor(config: unknown, shared: SharedSource | undefined) {
    const given = (config ?? {}) as Given;
    super({ ...given, canRetry: false });
    this.#given = given;
    this.#shared = shared;
  }

  override add(first: unknown, second?: unknown): void {
    const [id, config] = typeof first === "object" ? [`CLUSTER::${++this._lastId}`, first] : [String(first), second];
    if (this._nodes[id] !== undefined) return;
    const given = readGiven(config);
    this.#learn(id, given);
    const open = (): FailoverPool => this.#open().pool;
    const consistency = given["consistency"] ?? (PRIMARY.test(id) ? "strong" : this.#given["consistency"]);
    const source: Source = {
      ...common({ ...given, consistency }),
      isOwned: false,
      shown: {},
      get pool() {
        return open();
      },
    };
    this._nodes[id] = { id, errorCount: 0, pool: new VirtualPool(given, source), _offlineUntil: 0 };
    this._serviceableNodeIds.push(id);
    this._clearFindCaches();
  }

  /** Where nobody has said which nodes there are, those are the ones that were added. */
  #learn(id: string, given: Given): void {
    const { mirrorpool = this.#shared } = this.#given;
    if (isFailoverPool(mirrorpool) || typeof mirrorpool === "function") return;
    if (mirrorpool !== undefined && "nodes" in (mirrorpool as object)) return;
    if (this.#source !== undefined)
      throw new OptionsError("add", "all nodes before the first connection is asked for", JSON.stringify(id));
    const { mirrorpool: _, consistency: __, ...settings } = given;
    const node = { ...nodeOf(settings), name: id };
    const isKnown = this.#nodes.some(({ host, port }) => host === node.host && port === node.port);
    if (!isKnown) this.#nodes.push(node);
    const { connectionLimit = 0, ...others } = settings;
    const limit = Math.max(Number(connectionLimit), Number(this.#settings["connectionLimit"] ?? 0));
    this.#settings = { ...this.#settings, ...withoutAddress(others), connectionLimit: limit };
  }

  #open(): Source {
    if (this._closed) throw new PoolClosedError();
    this.#source ??= this.#resolve();
    return this.#source;
  }

  #resolve(): Source {
    const { mirrorpool } = this.#given;
    if (mirrorpool === undefined && this.#shared !== undefined) return resolveSource({}, this.#shared);
    if (isFailoverPool(mirrorpool) || this.#nodes.length === 0) return resolveSource({ mirrorpool }, undefined);
    return resolveSource(
      { ...this.#settings, mirrorpool: { ...(mirrorpool as object), nodes: this.#nodes } },
      undefined,
    );
  }

  /** A node that is lost keeps its name: the others answer for it. */
  override _increaseErrorCount(): void {}

  override remove(pattern: unknown): void {
    if (this.#source !== undefined)
      throw new OptionsError(
        "remove",
        "no removal once connections are in use: the pool sees itself what is lost",
        "one",
      );
    const removed = new Set(this._findNodeIds(pattern, true));
    this.#nodes = this.#nodes.filter(({ name }) => !removed.has(name));
    super.remove(pattern);
  }

  override end(callback?: (error?: unknown) => void): void {
    super.end((error) => {
      const source = this.#source;
      const closed = source?.isOwned === true ? source.pool.close() : Promise.resolve();
      void closed.then(() => callback?.(error));
    });
  }
}

const withoutAddress = (given: Given): Given =>
  Object.fromEntries(Object.entries(given).filter(([name]) => !ADDRESS_OPTIONS.includes(name)));
