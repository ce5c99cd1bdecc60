import type { ReplicaStatus } from "./replica.ts";

/** Neither part runs, and none of them says why. */
export const isHalted = ({ isReceiving, isApplying, receiveError, applyError }: ReplicaStatus): boolean =>
  !isReceiving && !isApplying && receiveError === 0 && applyError === 0;

/** It replicates whatever the source has. */
export const isUnlimited = ({ isReceiving, isApplying, tables }: ReplicaStatus): boolean =>
  (isReceiving || isApplying) && tables === "";
