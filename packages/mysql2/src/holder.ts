/** Who holds a session of the pool and wants to know which connection of the server its statements run on. */
export interface Holder {
  attach(connection: { readonly threadId: number | null }): void;
}
