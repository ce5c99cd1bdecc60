/** A span stretched or shrunk by up to `fraction` of itself, so that processes started together drift apart. Pure. */
export function jittered(spanMs: number, fraction: number, random: number): number {
  return spanMs * (1 + fraction * (2 * random - 1));
}
