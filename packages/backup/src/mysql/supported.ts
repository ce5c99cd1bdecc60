import { JobError } from "@mirrorpool/sync/for-other-jobs";
import { BackupError } from "../errors.ts";

/** What sync's dialect refuses is not supported. */
export async function supported<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof JobError) throw new BackupError("NOT_SUPPORTED", error.message, { cause: error });
    throw error;
  }
}
