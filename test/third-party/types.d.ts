declare module "connect-pg-simple" {
  import type { Pool } from "pg";

  interface Store {
    set(id: string, session: object, callback: (error?: unknown) => void): void;
    get(id: string, callback: (error: unknown, session?: object) => void): void;
    close(): Promise<void>;
  }
  const connect: (
    session: unknown,
  ) => new (options: {
    pool: Pool;
    createTableIfMissing?: boolean;
    pruneSessionInterval?: number | false;
  }) => Store;
  export = connect;
}

declare module "express-session" {
  const session: { readonly Store: unknown };
  export = session;
}
