/** A row as read, before its schema is applied, and where it stands, for messages ("cb/train.jsonl:17"). */
export interface FoundRow {
  row: unknown;
  where: string;
}

/**
 * The rows of one official split, wherever they lie. They are read in order and never held whole; reading again starts
 * over.
 */
export interface RowFile {
  /** For messages: a path, or "owner/name (config), split". */
  name: string;
  /** SHA-256 of the content, or of the content hashes of its parts; equal identities mean equal rows. */
  identity: string;
  /** Number of rows. */
  rows: number;
  /**
   * @param wanted reads only these rows where given: 1 at the index of a wanted row
   * @throws UserError for a row that cannot be read, naming where it stands
   */
  read(wanted?: Uint8Array): AsyncIterable<FoundRow & { index: number }>;
}
