import type { RowTarget } from "../stream/row-sink.ts";
import type { Conversion } from "./conversion.ts";
import { LineConverter } from "./line-converter.ts";

/** Rows that are written in the forms of another system. */
export function convertedRows(target: RowTarget, conversions: readonly (Conversion | undefined)[]): RowTarget {
  if (conversions.every((each) => each === undefined)) return target;
  const converter = new LineConverter(conversions);
  return {
    ready: target.ready,
    failed: target.failed,
    write: (bytes, onSent) => {
      const converted = converter.convert(bytes);
      onSent?.(); // the other ones are copies
      return converted.length === 0 || target.write(converted);
    },
    onDrain: (listener) => target.onDrain(listener),
    end: () => target.end(),
    abort: () => target.abort(),
  };
}
