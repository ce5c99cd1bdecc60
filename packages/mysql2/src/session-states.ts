import type { SessionStates } from "@mirrorpool/core";

/** Placeholder until the dialect is there. */
export const sessionStates: SessionStates = {
  after: () => "pinned",
  rolledBack: (state) => state,
  change: () => [],
};
