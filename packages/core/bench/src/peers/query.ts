/** How every client of the query suites runs a statement. */
export type Query = <Row>(text: string, values?: unknown[]) => Promise<Answer<Row>>;

export interface Answer<Row> {
  readonly rows: readonly Row[];
  readonly rowCount: number | null;
}

/** Where a peer has its server, and how many connections it may have. */
export interface PeerOptions {
  /** One, or several where the peer is to find the primary. */
  readonly urls: readonly string[];
  readonly max: number;
}

/** A pool of another library. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  readonly query: Query;
}
