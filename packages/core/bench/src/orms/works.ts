import type { Application } from "./orm.ts";

/** Of the table that all use. */
export const ROWS = 100_000;

export const SELECT = "select by primary key";
export const UPDATE = "update of one row";

type Work = (application: Application) => Promise<number>;

/** What is done with each of them. Throws when the answer is not the one that was asked for. */
export const works: Readonly<Record<string, Work>> = {
  [SELECT]: async (application) => {
    const id = anyId();
    const order = await application.find(id);
    if (order?.id !== id) throw new Error(`asked for order ${id}, got ${order?.id}`);
    return order.item.length;
  },
  [UPDATE]: async (application) => {
    const id = anyId();
    const count = await application.update(id, `item ${id}`);
    if (count !== 1) throw new Error(`updated ${count} rows, expected 1`);
    return count;
  },
};

const anyId = (): number => 1 + Math.floor(Math.random() * ROWS);
