/** One file of a backup that is to be restored: a piece of work for any process that reaches the store and the target. Without secrets. */
export interface RestoreUnit {
  readonly kind: "restore";
  /** The backup's name in its store, and its id. */
  readonly backup: string;
  readonly id: string;
  readonly file: string;
}

/** What a unit comes to, as another process tells it: JSON. */
export type RestoreOutcome =
  | { readonly what: "done" }
  /** `isPassing`: the same unit may succeed when it is done again. */
  | {
      readonly what: "failed";
      readonly isPassing: boolean;
      readonly code: string | undefined;
      readonly message: string;
    };

/** Has a unit done elsewhere. It may be done twice: its row in the target says that it is done. */
export type RestoreDelegate = (unit: RestoreUnit, signal: AbortSignal) => Promise<RestoreOutcome>;
