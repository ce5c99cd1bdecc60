/** `pg-pool` has no types of its own; those of `pg` name the real client. */
declare module "pg-pool" {
  interface Options<C> {
    readonly Client: new () => C;
    readonly max: number;
    readonly connectionTimeoutMillis: number;
  }
  class Pool<C> {
    constructor(options: Options<C>);
    connect(): Promise<C & { release(): void }>;
    query(text: string): Promise<{ readonly rows: readonly { readonly one: number }[] }>;
    end(): Promise<void>;
  }
  export = Pool;
}
