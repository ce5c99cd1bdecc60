/** Errors and the pool's warnings that reach the process and no caller, as long as it is not disposed of. */
export class Uncaught implements Disposable {
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly #take = (error: unknown): void => {
    this.errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };
  readonly #note = ({ name, message }: Error): void => {
    if (name === "MirrorpoolWarning") this.warnings.push(message);
  };

  constructor() {
    process.on("uncaughtException", this.#take);
    process.on("unhandledRejection", this.#take);
    process.on("warning", this.#note);
  }

  [Symbol.dispose](): void {
    process.off("uncaughtException", this.#take);
    process.off("unhandledRejection", this.#take);
    process.off("warning", this.#note);
  }
}
