/** What the pool has counted since it was made. */
export interface Counters {
  /** Statements that got an answer of the server, errors of the database included. */
  statements: number;
  reads: number;
  writes: number;
  transactions: number;
  /** Statements that were run again, on another node or after waiting for a new primary. */
  reruns: number;
  /** Reads that were sent to a second node as well, since the first one was slow. */
  hedged: number;
  /** Those that the second node has answered first. */
  hedgesWon: number;
  misrouted: number;
  commitUnknown: number;
  transactionsLost: number;
  /** Writes that are committed, and that no mirror was seen to have in time. */
  notMirrored: number;
  /** Transactions that were run again on another node with the same answers. */
  replays: number;
  /** Transactions and single statements that were run again because the server had undone them in a conflict. */
  conflicts: number;
  /** How often a connection was made to have what its session had set elsewhere, or cleared of what another had left. */
  statesCarried: number;
  /** Acknowledged writes that were found missing after a failover. */
  ackedWritesLost: number;
  /** Acknowledged writes of which nobody can tell whether a failover has lost them. */
  ackedWritesUnknown: number;
  /** Commits that the application was not acknowledged, found on a superseded primary only. */
  strayCommits: number;
  /** Calls that ended by their deadline or signal. */
  interrupted: number;
  /** Primaries accepted after the first. */
  failovers: number;
}

export function createCounters(): Counters {
  return {
    statements: 0,
    reads: 0,
    writes: 0,
    transactions: 0,
    reruns: 0,
    hedged: 0,
    hedgesWon: 0,
    misrouted: 0,
    commitUnknown: 0,
    transactionsLost: 0,
    notMirrored: 0,
    replays: 0,
    conflicts: 0,
    statesCarried: 0,
    ackedWritesLost: 0,
    ackedWritesUnknown: 0,
    strayCommits: 0,
    interrupted: 0,
    failovers: 0,
  };
}
