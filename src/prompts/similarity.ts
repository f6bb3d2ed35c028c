/** Soft prompts as plain data, [P, D] row by row. */
export interface PromptValues {
  data: Float32Array;
  length: number;
  d_model: number;
}

export type Similarity = 'average_tokens' | 'per_token';

/**
 * How alike two prompts are, as embeddings of their tasks (SPoT, Vu et al. 2022, section 3.2): the cosine of their mean
 * vectors, or the mean cosine over all pairs of their vectors. In [-1, 1]; 0 where a vector is all zeros.
 */
export function promptSimilarity(a: PromptValues, b: PromptValues, kind: Similarity): number {
  if (kind === 'average_tokens') return dot(unit(meanRow(a)), unit(meanRow(b)));
  // The mean over all pairs of a product is the product of the means.
  return dot(meanRow(unitRows(a)), meanRow(unitRows(b)));
}

function meanRow({ data, length, d_model }: PromptValues): Float64Array {
  const mean = new Float64Array(d_model);
  data.forEach((value, i) => (mean[i % d_model]! += value / length));
  return mean;
}

function unit(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(vector, vector));
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

function unitRows({ data, length, d_model }: PromptValues): PromptValues {
  const rows = Float32Array.from(data);
  for (let row = 0; row < length; row++) {
    const part = Float64Array.from(data.subarray(row * d_model, (row + 1) * d_model));
    rows.set(unit(part), row * d_model);
  }
  return { data: rows, length, d_model };
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
