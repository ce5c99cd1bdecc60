declare module "pg-cursor" {
  import type { EventEmitter } from "node:events";
  import type { Submittable } from "pg";
  // biome-ignore lint/style/noDefaultExport: the module has one
  export default class Cursor extends EventEmitter implements Submittable {
    constructor(text: string, values?: readonly unknown[], config?: { readonly rowMode?: "array" });
    submit(connection: unknown): void;
    read(rows: number): Promise<Record<string, unknown>[]>;
    read(rows: number, callback: (error: unknown, rows: Record<string, unknown>[]) => void): void;
    close(): Promise<void>;
    close(callback: (error: unknown) => void): void;
  }
}
