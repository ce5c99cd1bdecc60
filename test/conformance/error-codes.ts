type Given = Readonly<Record<string, unknown>>;

/** The codes of an error and of all that it was made from: an ORM may wrap what the pool throws. */
export function errorCodes(error: unknown, depth: number = 0): readonly string[] {
  if (typeof error !== "object" || error === null || depth > 5) return [];
  const { code, originalCode, cause, driverError, originalError, meta, driverAdapterError } = error as Given;
  const wrapped = [cause, driverError, originalError, meta, driverAdapterError];
  const inner = wrapped.flatMap((each) => errorCodes(each, depth + 1));
  return [code, originalCode, ...inner].filter((each) => typeof each === "string");
}
