/** The code of an error, of the server or of a pool; "undefined" where it has none. */
export const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code);
