import type { Span } from "./text.ts";
import type { Token } from "./token.ts";

/** The tokens of a text, without comments and space. */
export interface Lexed {
  readonly tokens: readonly Token[];
  /** Where each token begins and ends in the text. */
  readonly spans: readonly Span[];
  /** Whether a server would cut the text into the same tokens whatever its settings are. */
  readonly certain: boolean;
}
