import type { Happening, Recorded } from "../history.ts";

/** A broken rule, and where in the history. */
export interface Violation {
  readonly rule: string;
  readonly at: number;
  readonly what: string;
}

/** Looks through a whole history for what must not be in it. Pure. */
export type Check = (happenings: readonly Recorded[]) => readonly Violation[];

export type Of<T extends Happening["type"]> = Extract<Recorded, { readonly type: T }>;

/** All happenings of one type, in their order. */
export function all<T extends Happening["type"]>(happenings: readonly Recorded[], type: T): Of<T>[] {
  return happenings.filter((each): each is Of<T> => each.type === type);
}

/** The last word of a statement that writes a token; undefined for all others. */
export function tokenOf(text: string): string | undefined {
  const [verb, name] = text.split(" ");
  return verb === "WRITE" || verb === "BATCH" ? name : undefined;
}

/** What has no effect on data: a mirror may have it as well. */
export const isRead = (text: string): boolean => /^(READ|LOCKREAD|CRASH|FIND|SET|RESTATE)\b/.test(text);
