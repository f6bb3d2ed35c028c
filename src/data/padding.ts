/** Tokens of one example as the model sees them: cut to the limits, with EOS. */
export interface RowLengths {
  source: number;
  target: number;
}

/** How many of the positions computed hold tokens. */
export interface Occupancy {
  tokens: number;
  positions: number;
  /** Share of the positions that are padding, 0 to 1; 0 where there are none. */
  waste: number;
}

export interface PaddingWaste {
  batches: number;
  rows: number;
  source: Occupancy;
  target: Occupancy;
  /** Source and target together, as the encoder and the decoder pass over each once. */
  total: Occupancy;
}

/** How batches are padded; by default each to its own longest row, as `makeBatch` does. */
export interface PaddingRule {
  /** Pad every source to this length instead. */
  source_length?: number;
  /** Pad every target to this length instead. */
  target_length?: number;
  /** Round the longest source of a batch up to a multiple of this. */
  pad_multiple?: number;
}

function occupancy(tokens: number, positions: number): Occupancy {
  return { tokens, positions, waste: positions === 0 ? 0 : 1 - tokens / positions };
}

/** Counts tokens and padding of batches as they would be padded. */
export function paddingWaste(batches: Iterable<readonly RowLengths[]>, rule: PaddingRule = {}): PaddingWaste {
  const { source_length, target_length, pad_multiple = 1 } = rule;
  const tokens = { source: 0, target: 0 };
  const positions = { source: 0, target: 0 };
  let count = 0;
  let rows = 0;
  for (const batch of batches) {
    const longest = { source: 0, target: 0 };
    for (const row of batch) {
      tokens.source += row.source;
      tokens.target += row.target;
      longest.source = Math.max(longest.source, row.source);
      longest.target = Math.max(longest.target, row.target);
    }
    const rounded = Math.ceil(longest.source / pad_multiple) * pad_multiple;
    positions.source += batch.length * (source_length ?? rounded);
    positions.target += batch.length * (target_length ?? longest.target);
    rows += batch.length;
    count++;
  }
  return {
    batches: count,
    rows,
    source: occupancy(tokens.source, positions.source),
    target: occupancy(tokens.target, positions.target),
    total: occupancy(tokens.source + tokens.target, positions.source + positions.target),
  };
}

/** The passes of one step: its rows in their order, or longest source first, cut into `batchSize` rows each. */
export function cutIntoPasses<T extends RowLengths>(rows: readonly T[], batchSize: number, sorted: boolean): T[][] {
  const order = sorted ? [...rows].sort((a, b) => b.source - a.source) : rows;
  return Array.from({ length: Math.ceil(order.length / batchSize) }, (_, i) =>
    order.slice(i * batchSize, (i + 1) * batchSize),
  );
}
