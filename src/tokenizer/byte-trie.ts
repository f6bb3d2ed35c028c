/**
 * A trie over bytes, laid out as a double array: the child of node `n` by byte `b` is slot `base[n] + b`, and it is
 * real only where `check` of that slot is `n`. A step is two typed-array reads; 32,000 pieces take about 1.5 MB.
 */
export interface ByteTrie {
  /** [slots] offset of each node's children. */
  readonly base: Int32Array;
  /** [slots] parent of the node in each slot, -1 for a free slot. The root is slot 0 and has no parent. */
  readonly check: Int32Array;
  /** [slots] value of the key that ends at the node, -1 where none ends. */
  readonly value: Int32Array;
}

/** Growing arrays of the trie while it is being laid out. */
class Slots {
  base = new Int32Array(1024);
  check = new Int32Array(1024).fill(-1);
  value = new Int32Array(1024).fill(-1);
  used = 1;
  /** Where the search for room begins, by number of children: below it, room for that many is rare. */
  private readonly searchFrom = new Int32Array(257).fill(1);

  /**
   * Takes slots `base + label` for all labels, where they are all free, as children of `parent`. Single children, by
   * far the most, fill the gaps that the others leave.
   */
  place(parent: number, labels: readonly number[]): number {
    const first = labels[0]!;
    let slot = Math.max(this.searchFrom[labels.length]!, first + 1);
    let tries = 0;
    while (!this.fits(slot - first, labels)) {
      slot++;
      // Never go back over a stretch that took this long; it costs a few free slots and saves quadratic time.
      if (++tries > 64) this.searchFrom[labels.length] = slot;
    }
    const base = slot - first;
    this.grow(base + 256);
    for (const label of labels) this.check[base + label] = parent;
    this.base[parent] = base;
    this.used = Math.max(this.used, base + labels.at(-1)! + 1);
    return base;
  }

  private fits(base: number, labels: readonly number[]): boolean {
    for (const label of labels) if ((this.check[base + label] ?? -1) >= 0) return false;
    return true;
  }

  private grow(size: number): void {
    if (size <= this.check.length) return;
    const length = Math.max(size, this.check.length * 2);
    const wider = (from: Int32Array, empty: number): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(length).fill(empty, from.length);
      to.set(from);
      return to;
    };
    [this.base, this.check, this.value] = [wider(this.base, 0), wider(this.check, -1), wider(this.value, -1)];
  }
}

/** Builds the trie of distinct, non-empty `keys`; key `i` gets value `values[i]` (0 or more). */
export function buildByteTrie(keys: readonly Uint8Array[], values: readonly number[]): ByteTrie {
  const order = keys.map((_, i) => i).sort((a, b) => Buffer.compare(keys[a]!, keys[b]!));
  const slots = new Slots();
  // Each entry is a node and the range [from, to) of sorted keys that share its `depth` first bytes.
  const pending = [{ node: 0, from: 0, to: order.length, depth: 0 }];
  for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
    const { node, to, depth } = entry;
    let { from } = entry;
    if (from < to && keys[order[from]!]!.length === depth) slots.value[node] = values[order[from++]!]!;
    if (from >= to) continue;
    const labels: number[] = [];
    const starts: number[] = [];
    for (let i = from; i < to; i++) {
      const label = keys[order[i]!]![depth]!;
      if (label !== labels.at(-1)) {
        labels.push(label);
        starts.push(i);
      }
    }
    const base = slots.place(node, labels);
    for (let i = labels.length - 1; i >= 0; i--) {
      pending.push({ node: base + labels[i]!, from: starts[i]!, to: starts[i + 1] ?? to, depth: depth + 1 });
    }
  }
  // 256 free slots at the end let a lookup read past the last node without a bounds test.
  const end = slots.used + 256;
  const cut = (array: Int32Array, empty: number): Int32Array => {
    const out = new Int32Array(end).fill(empty);
    out.set(array.subarray(0, slots.used));
    return out;
  };
  return { base: cut(slots.base, 0), check: cut(slots.check, -1), value: cut(slots.value, -1) };
}
