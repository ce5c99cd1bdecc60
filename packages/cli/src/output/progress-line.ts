const BAR = 24;
const CLEAR = "\r\u001b[2K";

/** A bar on the last line of a terminal, drawn anew each time. */
export class ProgressLine {
  readonly #stream: NodeJS.WritableStream & { readonly columns?: number };
  #isShown = false;

  constructor(stream: NodeJS.WritableStream & { readonly columns?: number }) {
    this.#stream = stream;
  }

  show(share: number | undefined, text: string): void {
    const line = share === undefined ? text : `${bar(share)} ${text}`;
    this.#stream.write(`${CLEAR}${line.slice(0, (this.#stream.columns ?? 80) - 1)}`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) this.#stream.write(CLEAR);
    this.#isShown = false;
  }
}

function bar(share: number): string {
  const full = Math.round(BAR * Math.min(1, Math.max(0, share)));
  const percent = `${Math.floor(100 * share)}`.padStart(3);
  return `${"█".repeat(full)}${"░".repeat(BAR - full)} ${percent} %`;
}
