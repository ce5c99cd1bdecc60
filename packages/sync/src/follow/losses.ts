import { JobError } from "../errors.ts";
import type { ChangedRow, Key, Table } from "../model.ts";
import type { Loss } from "../types/losses.ts";

/** Whether a value, in the form of its column, is one that the target would not hold as it is. Pure. */
export function isLost(loss: Loss, text: string): boolean {
  switch (loss.rule) {
    case "whole-number":
      return !/^-?\d+$/.test(text) || BigInt(text) < BigInt(loss.min) || BigInt(text) > BigInt(loss.max);
    case "digits": {
      const [whole = "", fraction = ""] = text.replace("-", "").split(".");
      const digits = whole.replace(/^0+/, "").length;
      return fraction.replace(/0+$/, "").length > loss.scale || digits > loss.precision - loss.scale;
    }
    case "not-finite":
      return /^(NaN|-?Infinity)$/.test(text);
    case "negative-zero":
      return Object.is(Number(text), -0);
    case "single-precision":
      return Math.fround(Number(text)) !== Number(text);
    case "length": {
      const isBytes = text.startsWith("\\x") && loss.characters === undefined;
      const size = isBytes ? (text.length - 2) / 2 : Buffer.byteLength(text);
      return (
        (loss.characters !== undefined && [...text].length > loss.characters) ||
        (loss.bytes !== undefined && size > loss.bytes)
      );
    }
    case "nul":
      return text.includes("\0");
    case "years":
      // years of four digits are in the order of their texts; before Christ is told at the end
      return (
        !/^\d{4}-/.test(text) ||
        text.endsWith(" BC") ||
        text < loss.first ||
        text.slice(0, loss.last.length) > loss.last
      );
    case "zero-dates":
      return /^0000|-00/.test(text.slice(0, 10));
    case "time-of-day":
      return text.startsWith("-") || text > "24:00:00";
    case "fraction":
      return (text.split(".")[1] ?? "").replace(/0+$/, "").length > loss.digits;
    case "label":
      return !loss.labels.includes(text);
    default:
      return loss satisfies never;
  }
}

/** Refuses a row that the target would not hold as it is: some servers would round or cut it without a word. */
export class LossGuard {
  readonly #name: string;
  readonly #losses: readonly { readonly loss: Loss; readonly place: number }[];

  constructor(name: string, { columns }: Pick<Table, "columns">, losses: readonly Loss[]) {
    this.#name = name;
    this.#losses = losses.map((loss) => ({ loss, place: columns.findIndex((column) => column.name === loss.column) }));
  }

  /** @throws {JobError} `VALUE_REFUSED`, with the key and never the value */
  check(row: ChangedRow, keyOf: (row: ChangedRow) => Key): void {
    for (const { loss, place } of this.#losses) {
      const text = row[place];
      if (typeof text !== "string" || !isLost(loss, text)) continue;
      const message = `${this.#name}: ${loss.column} of the row with the key ${JSON.stringify(keyOf(row))} has a value that the target cannot hold: ${loss.reason}. Change the column on the target and follow again; or change the value on the source, remove() the job, and follow with begin: "compare"`;
      throw new JobError("VALUE_REFUSED", message, { resumable: true });
    }
  }
}
