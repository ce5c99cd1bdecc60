import type { TableName } from "../model.ts";

export const quoteName = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

/** A table of the database that the connection is in: the jobs know that as the schema `public`. */
export const quoteTable = ({ name }: Pick<TableName, "name">): string => quoteName(name);

/** A literal, for the SQL mode that the jobs set. */
export const quoteText = (text: string): string =>
  `'${text.replaceAll(/['\\\0]/g, (each) => (each === "\0" ? "\\0" : `\\${each}`))}'`;
