import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** FNV-1a over the stream's name, so that streams named alike in part do not start alike. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/**
 * A seeded stream of random numbers (xoroshiro128+). Streams are named, so that drawing more from one
 * (more dropout, say) never shifts another (the order of the data).
 */
export class Rng {
  private constructor(private readonly generator: RandomGenerator) {}

  /** The stream `name` of `seed`; the same pair always starts the same stream. */
  static stream(seed: number, ...name: (string | number)[]): Rng {
    return new Rng(xoroshiro128plus(hash32(`${seed}/${name.join('/')}`)));
  }

  static restore(state: readonly number[]): Rng {
    return new Rng(xoroshiro128plusFromState([...state] as Parameters<typeof xoroshiro128plusFromState>[0]));
  }

  /** Plain numbers that `restore` turns back into a stream at the same place. */
  state(): number[] {
    return [...this.generator.getState()];
  }

  uint32(): number {
    return this.generator.next() >>> 0;
  }

  /** Uniform in [0, 1) with 53 random bits. */
  float(): number {
    return ((this.uint32() >>> 5) * 67108864 + (this.uint32() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in [0, n); rejection keeps it unbiased. */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x100000000) throw new RangeError(`Rng.int: n = ${n} is not in 1..2^32`);
    const limit = Math.floor(0x100000000 / n) * n;
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % n;
  }

  /** Standard normal (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.float())) * Math.cos(2 * Math.PI * this.float());
  }

  /** Fisher–Yates, in place. */
  shuffle<T extends { [index: number]: unknown; length: number }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  /** k distinct integers out of 0..n-1, in random order. */
  sample(n: number, k: number): number[] {
    if (k > n) throw new RangeError(`Rng.sample: cannot draw ${k} of ${n} without replacement`);
    const moved = new Map<number, number>();
    return Array.from({ length: k }, (_, i) => {
      const j = i + this.int(n - i);
      const picked = moved.get(j) ?? j;
      moved.set(j, moved.get(i) ?? i);
      return picked;
    });
  }
}
