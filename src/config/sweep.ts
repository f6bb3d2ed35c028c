import { UserError } from '../util/errors.js';

/** One of the settings that a sweep goes through. */
export interface SweepPoint {
  /** As `--set` takes them. */
  set: string[];
  /** Names them: what runs of these settings are a variant by. */
  variant: string;
}

/** Settings that may differ between runs that are trained over one model on the same rows. */
const SECTIONS = ['optim', 'train'];

/**
 * The grid of `--sweep key=value,value …`: every value of a key with every value of the others.
 *
 * @param sweeps as given; without any the grid has no point
 * @throws UserError for what is no key with several values, or a key outside `optim` and `train`
 */
export function sweepPoints(sweeps: readonly string[]): SweepPoint[] {
  if (sweeps.length === 0) return [];
  const axes = sweeps.map(axisOf);
  const keys = axes.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) < i);
  if (twice !== undefined) throw new UserError(`--sweep names ${twice} twice.`);
  return axes.reduce<SweepPoint[]>(
    (points, { key, values }) =>
      points.flatMap(({ set, variant }) =>
        values.map((value) => ({
          set: [...set, `${key}=${value}`],
          variant: [...(variant === '' ? [] : [variant]), `${key.split('.').at(-1)}_${value}`].join('-'),
        })),
      ),
    [{ set: [], variant: '' }],
  );
}

function axisOf(sweep: string): { key: string; values: string[] } {
  const equals = sweep.indexOf('=');
  const key = sweep.slice(0, Math.max(equals, 0)).trim();
  const values = sweep
    .slice(equals + 1)
    .split(',')
    .map((value) => value.trim());
  const hint = 'Right would be a key and its values, as in --sweep optim.learning_rate=0.03,0.1,0.3';
  if (equals < 0 || values.includes('')) throw new UserError(`--sweep ${sweep} is no key with values.`, { hint });
  if (new Set(values).size < values.length) throw new UserError(`--sweep ${sweep} has a value twice.`);
  if (!SECTIONS.some((section) => key.startsWith(`${section}.`))) {
    throw new UserError(
      `--sweep ${sweep}: only keys of ${SECTIONS.join(' and ')} can be swept, not ${key || 'nothing'}.`,
      {
        hint: 'A run file (mpt run) makes grids of any settings.',
      },
    );
  }
  return { key, values };
}
