/** The codes of an error and of all that it was made from: an ORM may wrap what the pool throws. */
export function errorCodes(error: unknown, depth: number = 0): readonly string[] {
  if (typeof error !== "object" || error === null || depth > 5) return [];
  const { code, cause, driverError, originalError } = error as Readonly<Record<string, unknown>>;
  const inner = [cause, driverError, originalError].flatMap((each) => errorCodes(each, depth + 1));
  return typeof code === "string" ? [code, ...inner] : inner;
}
