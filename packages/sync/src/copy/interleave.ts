/** A part of a table. */
interface Piece {
  readonly table: number;
}

/**
 * Brings pieces into an order in which those that are written at the same time are of different tables, as far as there are some: two
 * connections that add to one table wait for each other, and its index grows fastest at its end. The table with most left is first, so
 * that all end at about the same time. Pure.
 */
export function interleave<P extends Piece>(
  pieces: readonly P[],
  jobs: number,
  bytesOf: (piece: P) => number,
): readonly P[] {
  const queues = new Map<number, { readonly pieces: P[]; left: number }>();
  for (const piece of pieces) {
    const queue = queues.get(piece.table) ?? { pieces: [], left: 0 };
    queue.pieces.push(piece);
    queue.left += bytesOf(piece);
    queues.set(piece.table, queue);
  }
  // tables of one piece need no choice, and there may be ten thousand
  const many = [...queues.values()].filter((queue) => queue.pieces.length > 1);
  const single = pieces.filter(({ table }) => queues.get(table)?.pieces.length === 1);
  if (many.length === 0) return pieces;
  const ordered: P[] = [];
  const recent: number[] = [];
  let next = 0;
  while (ordered.length < pieces.length) {
    const open = many.filter((queue) => queue.pieces.length > 0);
    const fresh = open.filter((queue) => !recent.includes(queue.pieces[0]?.table ?? -1));
    const queue = mostLeft(fresh);
    const small = single[next];
    let piece: P | undefined;
    if (small !== undefined && bytesOf(small) >= (queue?.left ?? 0)) {
      piece = small;
      next += 1;
    } else {
      const chosen = queue ?? mostLeft(open);
      piece = chosen?.pieces.shift();
      if (chosen !== undefined) chosen.left -= piece === undefined ? 0 : bytesOf(piece);
    }
    if (piece === undefined) break;
    ordered.push(piece);
    recent.push(piece.table);
    if (recent.length >= jobs) recent.shift();
  }
  return ordered;
}

function mostLeft<Q extends { readonly left: number }>(queues: readonly Q[]): Q | undefined {
  return queues.reduce<Q | undefined>(
    (most, each) => (most === undefined || each.left > most.left ? each : most),
    undefined,
  );
}
