/** Values of a column that the target cannot hold as they are: looked for on the source before the first row. */
export type Loss = {
  /** Of the source. */
  readonly column: string;
  /** What the target cannot hold, in words. */
  readonly reason: string;
} & (
  | { readonly rule: "whole-number"; readonly min: string; readonly max: string }
  | { readonly rule: "digits"; readonly precision: number; readonly scale: number }
  | { readonly rule: "not-finite" }
  | { readonly rule: "negative-zero" }
  | { readonly rule: "single-precision" }
  | { readonly rule: "length"; readonly characters: number | undefined; readonly bytes: number | undefined }
  | { readonly rule: "nul" }
  | { readonly rule: "years"; readonly first: string; readonly last: string }
  | { readonly rule: "zero-dates" }
  | { readonly rule: "time-of-day" }
  | { readonly rule: "fraction"; readonly digits: number }
  | { readonly rule: "label"; readonly labels: readonly string[] }
);
