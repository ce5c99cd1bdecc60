import type { FailoverPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import type { Random } from "../../simulation/random.ts";
import type { Operator } from "../operator.ts";
import type { CampaignSystem } from "../system.ts";
import type { Operations } from "../workload/operations.ts";

/** What a fault is played on. */
export interface Scene {
  readonly system: CampaignSystem;
  readonly cluster: LabCluster;
  readonly pool: FailoverPool;
  readonly operator: Operator;
  readonly operations: Operations;
  readonly random: Random;
}

/** One fault with its parameters. It ends when no more harm is done; a former primary may be left outside the cluster. */
export interface Fault {
  /** Such as `half-open down at COMMIT, healed`. */
  readonly name: string;
  readonly play: (scene: Scene) => Promise<void>;
}

/** Draws the parameters of one kind of fault, for a database system. */
export type DrawFault = (random: Random, system: CampaignSystem) => Fault;
