import type { AdaptConfig } from '../config/schema.js';
import type { Context, RunOutcome } from './context.js';
import { adaptationStart, entrySeed } from './start.js';
import { tuneTasks, tuneTogether } from './tune-tasks.js';

/**
 * Target adaptation (paper section 3.2): P* of the distilled run and the mean of its task vectors, tuned on target tasks
 * with separate rates; or, for comparison, one of the other methods. With `multi_task` the tasks train together.
 */
export function adapt(config: AdaptConfig, context: Context): Promise<RunOutcome[]> {
  const { method } = config;
  if (config.multi_task) {
    return tuneTogether(`adapt: ${method} on target tasks together`, config, context, (open, seed) =>
      adaptationStart(
        open,
        method,
        config,
        {
          seeds: config.tasks.map((_, task) => entrySeed(seed, task)),
          tasks: true,
          target: { task: '', stage: 'adapt' },
        },
        seed,
      ),
    );
  }
  return tuneTasks('adapt', `adapt: ${method} on target tasks`, config, context, (open, seed, task) =>
    adaptationStart(open, method, config, { seeds: [seed], tasks: false, target: { task, stage: 'adapt' } }, seed),
  );
}
