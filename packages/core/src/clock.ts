/** All time and chance in the core come from here, so that a simulation can hold the one and seed the other. */
export interface Environment {
  /** Milliseconds that only grow; fractions allowed. Not the time of day. */
  now(): number;
  /** Calls back once. A referenced timer keeps the process alive. */
  schedule(delayMs: number, callback: () => void, isReferenced: boolean): Timer;
  /** From 0 to just under 1. */
  random(): number;
  /** A new token for the commit ledger. Such as are made one after the other had best be neighbours in its index. */
  newToken(): string;
}

export interface Timer {
  cancel(): void;
  setRef(isReferenced: boolean): void;
}

export const systemEnvironment: Environment = {
  now: () => performance.now(),
  schedule(delayMs, callback, isReferenced) {
    const handle = setTimeout(callback, delayMs);
    if (!isReferenced) handle.unref();
    return {
      cancel: () => clearTimeout(handle),
      setRef: (isReferenced) => void (isReferenced ? handle.ref() : handle.unref()),
    };
  },
  random: Math.random,
  newToken: timeOrderedUuid,
};

/** A version 7 UUID (RFC 9562, 5.7): milliseconds since 1970, and 74 random bits. */
function timeOrderedUuid(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  // of the random one's, the variant and 74 bits of chance
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
}
