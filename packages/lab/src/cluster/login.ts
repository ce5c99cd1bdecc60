/** One row by column name, with the types that the database library gives. */
export type Row = Readonly<Record<string, unknown>>;

/** A way to log in. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** One statement; several, separated by `;`, are allowed without `params`. */
export type Ask = <R extends object = Row>(sql: string, params?: readonly unknown[]) => Promise<readonly R[]>;
