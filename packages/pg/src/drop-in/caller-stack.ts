import pg from "pg";

/** As `pg` does: an error of the database whose stack leads to the application and not to the socket. */
export function withCallerStack(error: unknown): never {
  if (error instanceof pg.DatabaseError) Error.captureStackTrace(error);
  throw error;
}
