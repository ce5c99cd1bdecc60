/** Consistent, verified backups over pooled connections, and their restore. */

export type { Progress } from "@mirrorpool/sync";
export { abandonRestore } from "./abandon.ts";
export { type BackupOptions, type BackupReport, backup } from "./backup.ts";
export { type ListedBackup, listBackups } from "./backups.ts";
export { BackupError, type BackupErrorCode, backupErrorCodes } from "./errors.ts";
export type { Compression } from "./format/codec.ts";
export type { KeySource } from "./format/key.ts";
export type {
  BackedUpChunk,
  BackedUpSequence,
  BackedUpTable,
  Manifest,
  QualifiedName,
  RowForm,
  SourcePosition,
  StoredFile,
} from "./format/manifest.ts";
export { type RestoreOptions, type RestoreReport, restore } from "./restore.ts";
export type { Keep } from "./retention.ts";
export type { SchemaChoice, SchemaOptions } from "./schema-choice.ts";
export { folderStore } from "./store/folder-store.ts";
export { type S3Options, s3Store } from "./store/s3-store.ts";
export type { Store, StoredObject } from "./store/store.ts";
export { RestoreWorker } from "./target/restore-worker.ts";
export type { RestoreDelegate, RestoreOutcome, RestoreUnit } from "./target/unit.ts";
export { type VerifyOptions, type VerifyReport, verify } from "./verify.ts";
