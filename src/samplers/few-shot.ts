import { UserError } from '../util/errors.js';
import { Rng } from '../util/rng.js';

export interface FewShotOptions {
  /** The same number of examples per class, as far as that goes; else a plain random draw. */
  balanced: boolean;
  /** Target strings that count as classes; by default every target that occurs. */
  labels?: readonly string[];
}

/**
 * Draws k training examples in total (not per class) without replacement, a pure function of seed and draw number.
 * Balanced: floor(k / classes) of each class, the remainder from classes drawn at random; a class with too few examples
 * gives what it has and the others fill up.
 *
 * @returns indices into `examples`, ascending
 * @throws UserError when there are fewer than k examples
 */
export function drawFewShot(
  examples: readonly { target: string }[],
  k: number,
  seed: number,
  draw: number,
  options: FewShotOptions,
): number[] {
  if (!Number.isInteger(k) || k < 1)
    throw new UserError(`The number of few-shot examples must be 1 or more, not ${k}.`);
  if (k > examples.length) {
    throw new UserError(`Cannot draw ${k} few-shot examples: the training set has ${examples.length}.`);
  }
  const rng = Rng.stream(seed, 'few-shot', k, draw);
  if (!options.balanced) return rng.sample(examples.length, k).sort((a, b) => a - b);

  const classes = new Map<string, number[]>((options.labels ?? []).map((label) => [label, []]));
  examples.forEach(({ target }, i) => {
    if (classes.has(target)) classes.get(target)!.push(i);
    else if (options.labels === undefined) classes.set(target, [i]);
  });
  // In the order of their names, so that the order of the examples matters only within a class.
  const pools = [...classes.keys()].sort().map((label) => rng.shuffle(classes.get(label)!));
  const available = pools.reduce((sum, pool) => sum + pool.length, 0);
  if (k > available) {
    throw new UserError(`Cannot draw ${k} few-shot examples: only ${available} carry one of the labels.`);
  }
  const picked: number[] = [];
  while (picked.length < k) {
    // One round takes one of each class; the last round takes a random part of the classes.
    const open = rng.shuffle(pools.filter((pool) => pool.length > 0));
    for (const pool of open.slice(0, k - picked.length)) picked.push(pool.pop()!);
  }
  return picked.sort((a, b) => a - b);
}
