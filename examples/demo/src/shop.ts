/** Written with each order: found once in the database, or not at all. */
export interface Order {
  readonly token: string;
  readonly product: number;
}

/** The order-taking application, in the idioms of one library. */
export interface Shop {
  /** A short write. */
  place(order: Order): Promise<unknown>;
  /** Its read-back: undefined or null where it is not there. */
  find(token: string): Promise<unknown>;
  /** A transaction: counts the sale and writes the order down. */
  sell(order: Order): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * The tables of one client, in a schema of its own. Nothing keeps an order from being there twice: that would be seen.
 * `server` is filled by the server that takes the write: so it is known afterwards who took it.
 */
export const tables = (schema: string): string => `
CREATE SCHEMA ${schema};
CREATE TABLE ${schema}.stock (product int PRIMARY KEY, sold bigint NOT NULL);
INSERT INTO ${schema}.stock SELECT product, 0 FROM generate_series(0, 99) AS product;
CREATE TABLE ${schema}.orders (
  id bigserial PRIMARY KEY, token text NOT NULL, product int NOT NULL,
  server int NOT NULL DEFAULT inet_server_port()
);
CREATE INDEX ON ${schema}.orders (token);`;
