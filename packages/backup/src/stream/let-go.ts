/**
 * Gives the memory of a piece back, and of all that came before it in the same buffer. What is outside of the heap waits for the garbage collector
 * otherwise, which runs for each dozen MB of it. Only for pieces that are nobody else's, in their order.
 */
export function letGo({ buffer, byteOffset, byteLength }: Uint8Array): void {
  const whole: ArrayBufferLike & { transfer?(length: number): unknown } = buffer;
  // small ones are parts of a buffer of Node.js's own
  if (whole.byteLength >= LEAST_BYTES && byteOffset + byteLength === whole.byteLength) whole.transfer?.(0);
}

const LEAST_BYTES = 1 << 18;
