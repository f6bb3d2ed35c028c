import type { AdaptConfig } from '../config/schema.js';
import type { Context, RunOutcome } from './context.js';
import { adaptationStart, builtOn, entrySeed } from './start.js';
import { tuneTasks, tuneTogether, type Sweep } from './tune-tasks.js';
import { sayVariant } from './variant.js';

/**
 * Target adaptation (paper section 3.2): P* of the distilled run and the mean of its task vectors, tuned on target tasks
 * with separate rates; or, for comparison, one of the other methods. With `multi_task` the tasks train together.
 */
export function adapt(sweep: Sweep<AdaptConfig>, context: Context): Promise<RunOutcome[]> {
  const { method, tasks, multi_task } = sweep[0];
  sayVariant([method], sweep[0], ['adapt'], context);
  const targets = tasks.map((task) => ({ task, stage: 'adapt' }));
  const files = sweep.flatMap((config) => builtOn(method, config, targets, config.seeds));
  if (multi_task) {
    return tuneTogether(`adapt: ${method} on target tasks together`, sweep, context, files, (open, config, seed) => {
      const seeds = tasks.map((_, task) => entrySeed(seed, task));
      return adaptationStart(open, method, config, { seeds, tasks: true, target: { task: '', stage: 'adapt' } }, seed);
    });
  }
  return tuneTasks('adapt', `adapt: ${method} on target tasks`, sweep, context, files, (open, config, seed, task) =>
    adaptationStart(open, method, config, { seeds: [seed], tasks: false, target: { task, stage: 'adapt' } }, seed),
  );
}
