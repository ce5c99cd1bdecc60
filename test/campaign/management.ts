import type { LabNode } from "@mirrorpool/lab";

/** How a kind of cluster is managed. The operator says what each method means. */
export interface Management {
  failOver(): Promise<void>;
  handOver(): Promise<void>;
  letLoose(former: LabNode): Promise<void>;
  mend(): Promise<void>;
}
