import { LabError } from "../errors.ts";

/** The words of a typed line, taken one after the other. All methods throw LabError `invalid-option`. */
export interface Args {
  /** The next word. */
  next(what: string): string;
  /** The next word, one of `choices`. */
  choice<C extends string>(what: string, choices: readonly C[]): C;
  /** As `choice`, or `otherwise` when there is no further word. */
  optional<C extends string>(what: string, choices: readonly C[], otherwise: C): C;
  /** The next word as a number, or `otherwise` when there is none. */
  number(what: string, otherwise?: number): number;
  /** All that is left, as typed. */
  rest(): string;
}

/** Splits a line at its spaces. */
export function createArgs(line: string): Args {
  let left = line.trim();
  const next = (what: string): string => {
    const [word] = /^\S+/.exec(left) ?? [];
    if (word === undefined) throw new LabError("invalid-option", `${what} is missing`);
    left = left.slice(word.length).trimStart();
    return word;
  };
  const choice = <C extends string>(what: string, choices: readonly C[]): C => {
    const word = next(what);
    const found = choices.find((each) => each === word);
    if (found !== undefined) return found;
    throw new LabError("invalid-option", `${what}: expected ${choices.join(" or ")}, got "${word}"`);
  };
  return {
    next,
    choice,
    optional: (what, choices, otherwise) => (left === "" ? otherwise : choice(what, choices)),
    number(what, otherwise) {
      if (left === "" && otherwise !== undefined) return otherwise;
      const word = next(what);
      const number = Number(word);
      if (Number.isFinite(number)) return number;
      throw new LabError("invalid-option", `${what}: expected a number, got "${word}"`);
    },
    rest: () => left,
  };
}
