/** Writes that were sent after `sentAt` and acknowledged until `ackedAt`, on the environment's clock. */
export interface AckedWrites {
  readonly sentAt: number;
  readonly ackedAt: number;
  readonly count: number;
}

/** More entries than this are joined in pairs. */
const MAX_ENTRIES = 4096;

/**
 * When the writes of this reign were sent and acknowledged, for the loss report. No write is ever left out: when there are
 * too many, those that every mirror is known to have are forgotten, and neighbours are joined, so that the older ones are
 * known less exactly.
 */
export class WriteLog {
  readonly #mirroredUntil: () => number;
  #entries: AckedWrites[] = [];

  /** @param mirroredUntil every mirror has all writes that were acknowledged before this time */
  constructor(mirroredUntil: () => number) {
    this.#mirroredUntil = mirroredUntil;
  }

  add(sentAt: number, ackedAt: number): void {
    this.#entries.push({ sentAt, ackedAt, count: 1 });
    if (this.#entries.length > MAX_ENTRIES) this.#shrink();
  }

  /** Hands all over and begins anew. */
  take(): readonly AckedWrites[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  #shrink(): void {
    const until = this.#mirroredUntil();
    const open = this.#entries.filter((entry) => entry.ackedAt > until);
    this.#entries = open.length > MAX_ENTRIES / 2 ? joinPairs(open) : open;
  }
}

function joinPairs(entries: readonly AckedWrites[]): AckedWrites[] {
  const joined: AckedWrites[] = [];
  for (let index = 0; index < entries.length; index += 2) {
    const one = entries[index] as AckedWrites; // below the length
    const other = entries[index + 1] ?? { ...one, count: 0 };
    joined.push({
      sentAt: Math.min(one.sentAt, other.sentAt),
      ackedAt: Math.max(one.ackedAt, other.ackedAt),
      count: one.count + other.count,
    });
  }
  return joined;
}
