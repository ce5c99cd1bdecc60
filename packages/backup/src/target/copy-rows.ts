import { Writable } from "node:stream";
import type { ReservedConnection } from "@mirrorpool/core";
import { type CopySink, copyIn } from "@mirrorpool/pg";

const COPY_DATA = 0x64;
const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;

/** The content of one COPY … FROM STDIN. When it has finished its rows are there, and counted. Destroyed, it loses its connection. */
export class CopyRows extends Writable {
  readonly #connection: ReservedConnection;
  readonly #text: string;
  #sink: CopySink | undefined;
  #drained: () => void = () => {};
  rows = 0;

  constructor(connection: ReservedConnection, text: string) {
    super({ highWaterMark: 1 << 18 });
    this.#connection = connection;
    this.#text = text;
  }

  override _construct(done: (error?: Error | null) => void): void {
    const sink = copyIn(this.#connection, this.#text);
    this.#sink = sink;
    sink.onDrain(() => this.#drained());
    sink.failed.catch((error: unknown) => this.destroy(error as Error));
    Promise.race([sink.ready, sink.failed]).then(() => done(), done);
  }

  override _write(part: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const header = Buffer.allocUnsafe(HEADER_BYTES);
    header[0] = COPY_DATA;
    header.writeUInt32BE(part.length + LENGTH_BYTES, 1);
    this.#sink?.write(header);
    if (this.#sink?.write(part) === false) this.#drained = done;
    else done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sink?.end().then((rows) => {
      this.rows = rows;
      done();
    }, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error !== null) this.#sink?.abort();
    done(error);
  }
}
