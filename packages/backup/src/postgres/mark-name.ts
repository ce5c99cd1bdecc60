/** Where a restore keeps what it has done; it goes with the last step. A target that has it holds an unfinished restore. */
export const MARK = "mirrorpool_restore";
