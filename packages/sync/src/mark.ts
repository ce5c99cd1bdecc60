/** Around one piece of work in a transaction: what fails in it does not fail the rest. */
export const MARK = {
  set: "SAVEPOINT mirrorpool_chunk",
  goBack: "ROLLBACK TO SAVEPOINT mirrorpool_chunk",
  remove: "RELEASE SAVEPOINT mirrorpool_chunk",
} as const;
