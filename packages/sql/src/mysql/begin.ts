import { OUTLINE_LENGTH, outline } from "../outline.ts";
import type { Token } from "../token.ts";

/** All of it but a consistent snapshot, which is of the moment of the BEGIN. */
const BEGIN = /^(?:begin (?:work )?|start transaction (?:read (?:only|write) )?)$/;

/** Whether it is a BEGIN in which a primary finds no mistake, and that may as well come a little later. */
export function isSoundBegin(tokens: readonly Token[]): boolean {
  return tokens.length <= OUTLINE_LENGTH && BEGIN.test(outline(tokens));
}
