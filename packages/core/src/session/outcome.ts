/** What was sent certainly had no effect and never will: as good as not sent. Not for applications. */
export class Undone extends Error {
  override readonly name = "Undone";
  constructor(cause: unknown) {
    super("certainly not committed", { cause });
  }
}

/** Whether a COMMIT took effect could not be found out in time. Not for applications. */
export class Unsettled extends Error {
  override readonly name = "Unsettled";
  constructor(cause: unknown) {
    super("the outcome of the commit is not known", { cause });
  }
}
