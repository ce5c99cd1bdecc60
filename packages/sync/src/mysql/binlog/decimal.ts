/** Nine digits are four bytes; fewer take as many as they need. */
const BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;
const DIGITS = 9;

const bytesOf = (digits: number): number => Math.floor(digits / DIGITS) * 4 + (BYTES[digits % DIGITS] ?? 0);

/** How many bytes a decimal has. */
export const decimalBytes = (precision: number, scale: number): number => bytesOf(precision - scale) + bytesOf(scale);

/** The text of a decimal, with all digits of its scale (MySQL source, `bin2decimal`). Pure. */
export function decimalText(raw: Buffer, precision: number, scale: number): string {
  const bytes = Buffer.from(raw);
  const isNegative = ((bytes[0] ?? 0) & 0x80) === 0;
  // the highest bit is the sign, and a negative one has all bits turned over
  bytes[0] = (bytes[0] ?? 0) ^ 0x80;
  if (isNegative) for (let index = 0; index < bytes.length; index += 1) bytes[index] = (bytes[index] ?? 0) ^ 0xff;
  const whole = precision - scale;
  let at = 0;
  const group = (digits: number): string => {
    const size = BYTES[digits] ?? 0;
    if (size === 0) return "";
    at += size;
    return String(bytes.readUIntBE(at - size, size)).padStart(digits, "0");
  };
  let text = group(whole % DIGITS);
  for (let count = Math.floor(whole / DIGITS); count > 0; count -= 1) text += group(DIGITS);
  text = text.replace(/^0+(?=\d)/, "") || "0";
  let fraction = "";
  for (let count = Math.floor(scale / DIGITS); count > 0; count -= 1) fraction += group(DIGITS);
  fraction += group(scale % DIGITS);
  return `${isNegative ? "-" : ""}${text}${fraction === "" ? "" : `.${fraction}`}`;
}
