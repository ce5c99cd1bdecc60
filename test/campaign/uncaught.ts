/** Errors that reach the process and no caller, as long as it is not disposed of. */
export class Uncaught implements Disposable {
  readonly errors: string[] = [];
  readonly #take = (error: unknown): void => {
    this.errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };

  constructor() {
    process.on("uncaughtException", this.#take);
    process.on("unhandledRejection", this.#take);
  }

  [Symbol.dispose](): void {
    process.off("uncaughtException", this.#take);
    process.off("unhandledRejection", this.#take);
  }
}
