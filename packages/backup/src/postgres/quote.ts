import type { QualifiedName } from "../format/manifest.ts";

/** An identifier, whatever characters it has. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const quoteTable = ({ schema, name }: QualifiedName): string => `${quoteName(schema)}.${quoteName(name)}`;
