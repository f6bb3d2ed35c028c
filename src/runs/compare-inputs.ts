import type { RunRecord } from './record.js';

/** Fingerprints of what a run is made from, by name: "model", "data boolq", the path of a file. */
export type Inputs = Readonly<Record<string, string>>;

/** What a run was made from, as its record says; undefined where it does not say. */
export function recordedInputs({ results }: RunRecord): Inputs | undefined {
  const inputs = results['inputs'];
  return typeof inputs === 'object' && inputs !== null ? (inputs as Inputs) : undefined;
}

/**
 * Names of the inputs that are not what they were. They are compared in their order: a file that lies elsewhere now is
 * the same, if its content is.
 */
export function changedInputs(before: Inputs, now: Inputs): string[] {
  const then = Object.values(before);
  const changed = Object.entries(now).filter(([, content], i) => content !== then[i]);
  return [...changed.map(([name]) => name), ...Object.keys(before).slice(Object.keys(now).length)];
}
