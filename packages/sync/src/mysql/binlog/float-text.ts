/** The shortest text that is read back to the same bits. Pure. */
export const floatText = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

/** Digits in front of and behind the point up to which MySQL writes no exponent. */
const MOST_DIGITS = 15;

/** A double as MySQL writes it in JSON: the same digits, and always recognized as a double (its source, `my_gcvt`). Pure. */
export function jsonDouble(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + 1;
  const sign = value < 0 ? "-" : "";
  if (point > MOST_DIGITS || point <= -MOST_DIGITS + 1)
    return `${sign}${digits.slice(0, 1)}${digits.length > 1 ? `.${digits.slice(1)}` : ""}e${point - 1}`;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (digits.length <= point) return `${sign}${digits.padEnd(point, "0")}.0`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
