import { EventEmitter } from "node:events";

/** What stands where a connection of `mysql2` has its socket. Libraries look whether it is destroyed; it leads nowhere. */
export class InertStream extends EventEmitter {
  destroyed = false;

  write(): boolean {
    return true;
  }

  /** As a server does that was told goodbye. */
  end(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    setImmediate(() => {
      this.emit("end");
      this.emit("close");
    });
    return this;
  }

  destroy(): this {
    return this.end();
  }

  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
