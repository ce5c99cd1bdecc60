/** What the server answers to a statement without rows. */
export interface Header {
  readonly affectedRows: number;
  /** How many warnings it has, notes included. */
  readonly warningStatus: number;
}
