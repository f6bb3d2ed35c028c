export interface MixingOptions {
  /** `examples_proportional`: to size; `equal`; `temperature`: proportional to size^(1/temperature). */
  strategy: 'examples_proportional' | 'equal' | 'temperature';
  /** Sizes above count as this (2^18 in the paper's lineage); null for no cap. Not used by `equal`. */
  size_cap: number | null;
  temperature?: number;
}

/**
 * Rates at which the tasks are drawn, summing to one: T5's examples-proportional mixing with an artificial limit
 * (Raffel et al. 2020, section 3.5.2).
 */
export function mixingRates(sizes: readonly number[], options: MixingOptions): number[] {
  const { strategy, size_cap, temperature = 1 } = options;
  if (sizes.length === 0 || sizes.some((size) => !(size > 0)))
    throw new RangeError('mixingRates: sizes must be positive');
  if (!(temperature > 0)) throw new RangeError(`mixingRates: temperature must be positive, not ${temperature}`);
  const weights = sizes.map((size) => {
    if (strategy === 'equal') return 1;
    const capped = Math.min(size, size_cap ?? Infinity);
    return strategy === 'temperature' ? capped ** (1 / temperature) : capped;
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
