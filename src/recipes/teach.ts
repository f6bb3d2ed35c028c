import type { TeachConfig } from '../config/schema.js';
import type { Context, RunOutcome } from './context.js';
import { startFromScratch } from './start.js';
import { tuneTasks, type Sweep } from './tune-tasks.js';

/** Teacher prompts: vanilla prompt tuning of one prompt per source task and seed, each alone (paper section 3.1). */
export function teach(sweep: Sweep<TeachConfig>, context: Context): Promise<RunOutcome[]> {
  return tuneTasks('teach', 'teach: one soft prompt per source task', sweep, context, [], (open, config, seed) =>
    startFromScratch(open, config.prompt, [seed]),
  );
}
