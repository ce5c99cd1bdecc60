/** One thing that a statement changes in its session, so that it can be done again on another connection. */
export type SessionChange =
  /** Sets these settings, by this statement alone. */
  | {
      readonly type: "set";
      readonly names: readonly string[];
      readonly text: string;
      /** Their values are made from those that settings had before: what set these is needed, too. */
      readonly isRelative?: true;
      /** They are set for the next transaction alone, and end with it. */
      readonly isForNext?: true;
    }
  /** Gives these settings the values back that they had when the connection was opened. */
  | { readonly type: "reset"; readonly names: readonly string[]; readonly text: string }
  | { readonly type: "reset-all"; readonly text: string }
  | { readonly type: "prepare"; readonly name: string; readonly text: string }
  | { readonly type: "deallocate"; readonly name: string }
  | { readonly type: "deallocate-all" }
  | { readonly type: "discard-all" };
