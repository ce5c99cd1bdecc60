const CRC_BYTES = 4;
/** Where the type of an event is. */
const TYPE = 4;
const FORMAT_DESCRIPTION = 15;

/** Takes the checksums off the events: TCP has its own, and a server checks what it reads. Each file says anew whether it has them. */
export class Checksum {
  #isThere: boolean;

  /** @param isThere as the server says, before the first file has */
  constructor(isThere: boolean) {
    this.#isThere = isThere;
  }

  without(event: Buffer): Buffer {
    if (event[TYPE] === FORMAT_DESCRIPTION) {
      // the algorithm lies right before the event's own sum, which this event always has
      this.#isThere = event[event.length - CRC_BYTES - 1] === 1;
      return event;
    }
    return this.#isThere ? event.subarray(0, event.length - CRC_BYTES) : event;
  }
}
