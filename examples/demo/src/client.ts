/** What the workload needs of a database client: the same few calls on plain `pg` and on mirrorpool. */
export interface Client {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
  transaction<T>(work: (query: Client["query"]) => Promise<T>): Promise<T>;
  /** A planned hand-over, where the client takes part in it; `promote` does it. */
  switchover(to: string, promote: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}
