import { Socket } from "node:net";

/**
 * Counts sockets and timers of this process, also those that do not keep it alive: Node itself lists only the others.
 * Import it before everything else.
 */
const sockets = new Set<Socket>();
const timers = new Set<NodeJS.Timeout>();

const { connect } = Socket.prototype;
Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
  sockets.add(this);
  this.once("close", () => sockets.delete(this));
  return Reflect.apply(connect, this, args);
} as typeof connect; // the same overloads, handed on untouched

const { setTimeout: set, clearTimeout: clear } = globalThis;
globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
  const timer = set(
    (...given: unknown[]) => {
      timers.delete(timer);
      callback(...given);
    },
    ms,
    ...args,
  );
  timers.add(timer);
  return timer;
}) as typeof set; // the same overloads, handed on untouched
globalThis.clearTimeout = (timer) => {
  timers.delete(timer as NodeJS.Timeout);
  clear(timer);
};

export const liveHandles = {
  get sockets(): number {
    return sockets.size;
  },
  get timers(): number {
    return timers.size;
  },
};
