import { runCopy } from "../copy/copy.ts";
import type { Bridge } from "../dialects.ts";
import type { Pair } from "../pair-tables.ts";
import type { Applier } from "./applier.ts";
import type { ChangeSource } from "./change-source.ts";
import type { FollowEvent, FollowOptions } from "./follow.ts";
import { type KeptPosition, PositionMoved } from "./kept-position.ts";
import { reseed } from "./reseed.ts";

export interface SeedSetting {
  readonly options: FollowOptions;
  readonly numbers: Readonly<Record<"connections" | "chunkBytes" | "attempts", number>>;
  readonly bridge: Bridge;
  readonly source: Pick<ChangeSource, "openView">;
  readonly applier: Applier;
  readonly job: string;
  readonly begin: "copy" | "replace" | "compare";
  readonly pairs: readonly Pair[];
  readonly kept: KeptPosition;
  readonly signal: AbortSignal;
  readonly onState: (state: "copying" | "reseeding") => void;
  /** What differs is going to be written. */
  readonly onReseed: () => void;
  readonly tell: (event: FollowEvent) => void;
}

/** Makes the target equal to a view of the source, and keeps the position from which to go on. */
export class Seed {
  readonly #setting: SeedSetting;

  constructor(setting: SeedSetting) {
    this.#setting = setting;
  }

  /** At first. @returns the position, and false where it took so long that whoever waits for it had better connect anew */
  async begin(): Promise<{ readonly position: string; readonly isWhole: boolean }> {
    if (this.#setting.begin === "compare") return this.again("it begins with a comparison");
    return { position: await this.#copy(), isWhole: true };
  }

  /** By what differs, where from the kept position nothing goes on without a gap. */
  async again(reason: string): Promise<{ readonly position: string; readonly isWhole: boolean }> {
    this.#setting.onState("reseeding");
    const { to } = this.#setting.options;
    const { epoch } = to.topology();
    const isSame = (): boolean => to.topology().epoch === epoch;
    const position = await this.#writeDifference(reason, isSame);
    if (position !== undefined) {
      // its transaction was run again on a node that nobody has compared
      if (!isSame()) return this.again("the target has failed over while it was compared");
      return { position, isWhole: true };
    }
    // too much for one transaction: chunk by chunk, each of them whole
    const copied = await this.#copy();
    this.#setting.tell({ type: "reseeded", reason, rows: 0, isWhole: false });
    return { position: copied, isWhole: false };
  }

  async #copy(): Promise<string> {
    const { options, numbers, bridge, job, begin, pairs, source, signal, kept, tell, onState } = this.#setting;
    onState("copying");
    let position: string | undefined;
    const { rows } = await runCopy({
      options: { ...options, tables: pairs.map((pair) => ({ schema: pair.source.schema, name: pair.source.name })) },
      numbers: { ...numbers, stallMs: 300_000 },
      bridge,
      job: copyJob(job),
      into: begin === "copy" ? "empty" : begin,
      createTables: false,
      readFrom: "primary",
      signal,
      isAgain: true,
      openView: async () => {
        const opened = await source.openView(signal);
        position = opened.position;
        return opened.view;
      },
    });
    await kept.set(position as string, signal); // a copy has a view
    tell({ type: "copied", rows });
    return position as string;
  }

  /** @param isSame the target's primary is still the one that is compared. @returns undefined, and nothing is changed, where too much differs */
  async #writeDifference(reason: string, isSame: () => boolean): Promise<string | undefined> {
    const { options, numbers, bridge, pairs, source, applier, signal, kept, tell, onReseed } = this.#setting;
    const { view, position } = await source.openView(signal);
    try {
      await kept.prepare();
      const work = { bridge, ...options, pairs, connections: numbers.connections, signal, applier };
      const rows = await reseed(work, view, async (on) => {
        if (!isSame()) throw new PositionMoved();
        await kept.move(on, position);
      });
      onReseed();
      if (rows === undefined) return undefined;
      kept.settle(position);
      tell({ type: "reseeded", reason, rows, isWhole: true });
      return position;
    } finally {
      view.close();
    }
  }
}

/** The name under which the copy at the beginning of a job is kept. */
export const copyJob = (job: string): string => `${job}/copy`;
