/** From this id on there are {@link STREAM_ROWS} orders to stream. */
export const STREAM_FROM = 1_000_000;
export const STREAM_ROWS = 2_000;

/** An order whose insert waits at the gate, and one whose COMMIT does: see `Database`. */
export const HELD = "held";
export const HELD_AT_COMMIT = "held at commit";
