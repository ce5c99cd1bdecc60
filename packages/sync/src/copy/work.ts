import type { FailoverPool } from "@mirrorpool/core";
import type { View } from "../dialect.ts";
import type { Bridge } from "../dialects.ts";
import type { Meter } from "../progress.ts";
import type { CopyOptions } from "./copy.ts";
import type { ChunkResult } from "./copy-chunk.ts";

/** What the options come to. */
export interface CopyWork {
  readonly options: Pick<CopyOptions, "from" | "to" | "tables" | "exclude" | "delegate" | "onProgress">;
  readonly numbers: Readonly<Record<"connections" | "chunkBytes" | "stallMs" | "attempts", number>>;
  readonly bridge: Bridge;
  readonly job: string;
  readonly into: "empty" | "replace" | "compare";
  readonly createTables: boolean;
  readonly readFrom: "mirror" | "primary";
  readonly signal: AbortSignal;
  readonly openView: (side: "primary" | "mirror") => Promise<View>;
  /** One that is finished is begun anew by comparison: what it has written is written again only where this view has it otherwise. */
  readonly isAgain: boolean;
}

/** A copy that runs. */
export interface Work extends CopyWork {
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  readonly meter: Meter;
  readonly written: Written;
}

/** Chunks that this run has written, the last time that it has. */
type Written = Map<number, Pick<ChunkResult, "rows"> & { readonly what: "copied" | "redone" }>;
