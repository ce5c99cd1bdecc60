/** Where a restore keeps what it has begun; a target with a row in it holds an unfinished restore. */
export const MARK = "mirrorpool_restore";
/** Where it keeps the steps that it has done. */
export const STEPS = "mirrorpool_restore_step";
/** Both go with the last step, and are in no backup. */
export const MARKS: readonly string[] = [MARK, STEPS];
