/** Written with each order: found once in the database, or not at all. */
export interface Order {
  readonly token: string;
  readonly product: number;
}

/** The order-taking application, in the idioms of one library. Nothing in its tables keeps an order from being there twice: that would be seen. */
export interface Shop {
  /** A short write. */
  place(order: Order): Promise<unknown>;
  /** Its read-back: undefined or null where it is not there. */
  find(token: string): Promise<unknown>;
  /** A transaction: counts the sale and writes the order down. */
  sell(order: Order): Promise<unknown>;
  close(): Promise<void>;
}
