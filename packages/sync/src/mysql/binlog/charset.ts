/** From 0x80 to 0x9f: where MySQL's latin1 is not Latin-1 but Windows-1252, and what that leaves open is the code itself. */
const WINDOWS =
  "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
  "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

const utf8 = (bytes: Buffer): string => bytes.toString("utf8");
const utf16le = (bytes: Buffer): string => bytes.toString("utf16le");

/** Texts of a character set: those that are read here as the server itself would. */
const READERS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  utf8mb4: utf8,
  utf8mb3: utf8,
  utf8: utf8,
  ascii: utf8,
  latin1: (bytes) =>
    bytes.toString("latin1").replaceAll(/[\u0080-\u009f]/g, (each) => WINDOWS.charAt(each.charCodeAt(0) - 0x80)),
  utf16le,
  utf16: (bytes) => utf16le(Buffer.from(bytes).swap16()),
  ucs2: (bytes) => utf16le(Buffer.from(bytes).swap16()),
  utf32: (bytes) => {
    const points = Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readUInt32BE(index * 4));
    return points.map((point) => String.fromCodePoint(point)).join("");
  },
};

export const knownCharsets: readonly string[] = Object.keys(READERS);

export const decodeText = (bytes: Buffer, charset: string): string => (READERS[charset] ?? utf8)(bytes);
