import { redact } from "../config/redact.ts";
import { codeOf } from "../errors.ts";
import { ProgressLine } from "./progress-line.ts";

/** Where a command writes. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/** How often a job tells how far it is, where nobody watches a terminal. */
const LINE_MS = 1000;
/** How often a line on a terminal is drawn anew. */
const DRAW_MS = 100;

/**
 * Results go to stdout, progress and troubles to stderr. On a terminal they are for the eye, elsewhere progress is JSON, one value a
 * line; with `--json` all of it is. Nothing that is known as a secret gets through.
 */
export class Output {
  readonly isJson: boolean;
  readonly #streams: Streams;
  readonly #line: ProgressLine | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #phase: unknown;

  constructor(streams: Streams, isJson: boolean) {
    this.#streams = streams;
    this.isJson = isJson;
    if (!isJson && streams.stderr.isTTY === true) this.#line = new ProgressLine(streams.stderr);
  }

  /** Whether somebody looks at the screen. */
  get isTerminal(): boolean {
    return !this.isJson && this.#streams.stdout.isTTY === true;
  }

  /** What the command was asked for. */
  result(value: object, text: () => string): void {
    this.#line?.clear();
    this.#streams.stdout.write(this.isJson ? toLine({ type: "result", ...value }) : `${redact(text())}\n`);
  }

  /** One of many: a line of a list, an event. */
  item(type: string, value: object, text: () => string): void {
    this.#line?.clear();
    this.#streams.stdout.write(this.isJson ? toLine({ type, ...value }) : `${redact(text())}\n`);
  }

  /** Text as it is, such as SQL or a screen. */
  raw(text: string): void {
    this.#streams.stdout.write(redact(text));
  }

  warn(message: string): void {
    this.#line?.clear();
    this.#streams.stderr.write(this.isJson ? toLine({ type: "warning", message }) : `warning: ${redact(message)}\n`);
  }

  error(error: unknown, hint?: string): void {
    this.#line?.clear();
    const message = error instanceof Error ? error.message : String(error);
    const code = codeOf(error);
    const more = hint === undefined ? "" : `\n${hint}`;
    this.#streams.stderr.write(
      this.isJson
        ? toLine({ type: "error", code, message, ...(hint !== undefined && { hint }) })
        : `mirrorpool: ${redact(message)}${code === undefined ? "" : ` [${code}]`}${more}\n`,
    );
  }

  /** @param share from 0 to 1; undefined where that is not known */
  progress(value: { readonly phase: string } & object, share: number | undefined, text: string): void {
    const now = performance.now();
    const isSoon = now - this.#toldAt < (this.#line === undefined ? LINE_MS : DRAW_MS);
    if (isSoon && value.phase === this.#phase && share !== 1) return;
    this.#toldAt = now;
    this.#phase = value.phase;
    if (this.#line === undefined) this.#streams.stderr.write(toLine({ type: "progress", ...value }));
    else this.#line.show(share, text);
  }

  end(): void {
    this.#line?.clear();
  }
}

const toLine = (value: object): string => `${redact(JSON.stringify(value))}\n`;
