import { ReservedLostError } from "@mirrorpool/core";
import { BackupError } from "./errors.ts";

/** Work on a view of a source, which is gone with its node. @throws {BackupError} `SOURCE_LOST` then */
export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ReservedLostError)) throw error;
    throw new BackupError("SOURCE_LOST", `the view is gone: ${error.message}`, { cause: error, retryable: true });
  }
}
