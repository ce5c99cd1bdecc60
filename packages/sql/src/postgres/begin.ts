import { OUTLINE_LENGTH, outline } from "../outline.ts";
import type { Token } from "../token.ts";

const MODE =
  "(?:isolation level (?:serializable |repeatable read |read committed |read uncommitted )|read only |read write |(?:not )?deferrable )";

/** The whole grammar of BEGIN and START TRANSACTION (PostgreSQL 18, `TransactionStmt` in `gram.y`). */
const BEGIN = new RegExp(`^(?:begin (?:work |transaction )?|start transaction )(?:${MODE}(?:(?:, )?${MODE})*)?$`);

/** Whether it is a BEGIN in which a primary finds no mistake. */
export function isSoundBegin(tokens: readonly Token[]): boolean {
  return tokens.length <= OUTLINE_LENGTH && BEGIN.test(outline(tokens));
}
