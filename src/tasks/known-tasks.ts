import { expandTasks } from './groups.js';
import { allTasks, GROUP_NAMES, registerTasks } from './registry.js';
import { loadUserTasks } from './user-tasks.js';

/**
 * Names of all tasks and groups; the tasks that a folder of YAML files defines are made known first.
 *
 * @throws UserError for a folder or file that is not right
 */
export function knownTaskNames(tasksDir: string | null): string[] {
  if (tasksDir !== null) registerTasks(loadUserTasks(tasksDir));
  return [...allTasks().map(({ name }) => name), ...GROUP_NAMES];
}

/** How `loadConfig` takes names of tasks. */
export const TASK_NAMES = { known: knownTaskNames, groups: GROUP_NAMES, expand: expandTasks };
