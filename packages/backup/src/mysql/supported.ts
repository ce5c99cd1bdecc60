import { ReservedLostError } from "@mirrorpool/core";
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

/** The same on a source, whose view is gone with its node. */
export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await supported(work);
  } catch (error) {
    if (!(error instanceof ReservedLostError)) throw error;
    throw new BackupError("SOURCE_LOST", `the view is gone: ${error.message}`, { cause: error, retryable: true });
  }
}
