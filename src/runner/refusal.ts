// Runs that are in the way of what is to be run there.
import { UserError } from '../util/errors.js';
import { plural } from '../util/format.js';
import { mustBeRedone, type RunState } from './state.js';

/** @throws UserError where runs stand in the way that cannot go on */
export function refuseChanged(runs: readonly RunState[]): void {
  const inTheWay = runs.filter(mustBeRedone);
  if (inTheWay.length === 0) return;
  const part = (kind: RunState['kind'], one: string, many: string, line: (run: RunState) => string): string[] => {
    const own = inTheWay.filter((run) => run.kind === kind);
    return own.length === 0 ? [] : [`${plural(own.length, one, many)}:`, ...own.map((run) => `  ${line(run)}`)];
  };
  const another = 'begun with another config';
  throw new UserError(
    [
      ...part('changed', `run was ${another}`, `runs were ${another}`, ({ folder, reason }) => `${folder}: ${reason}`),
      ...part('damaged', 'run is damaged', 'runs are damaged', ({ reason }) => reason),
    ].join('\n'),
    { hint: 'Use another experiment (--experiment NAME) to keep them, or --redo-changed to start them over.' },
  );
}
