/** A path into the config as people write it: train.max_steps, seeds[0]. */
export function showPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (/^\d+$/.test(String(key)) ? `[${String(key)}]` : `${i === 0 ? '' : '.'}${String(key)}`))
    .join('');
}
