import { suggestion, UserError } from '../util/errors.js';
import { allTasks, findTask, GROUP_NAMES } from './registry.js';
import { SUITES, type Suite, type Task } from './types.js';

/** A name that stands for several tasks wherever tasks are listed. */
export interface TaskGroup {
  name: string;
  title: string;
  /** In the order of the paper's tables. */
  tasks: string[];
}

const TITLES: Record<Suite, string> = {
  wordnet: 'the suite cut from WordNet, which needs no data',
  sources: 'the six source tasks of the paper',
  extra_sources: 'the six more sources of its Table 7',
  glue: 'targets: GLUE',
  superglue: 'targets: SuperGLUE',
  mrqa: 'targets: MRQA 2019',
  others: 'targets: the four others',
  generation: 'generation from data',
  beyond_paper: 'tasks that the paper does not have',
  user: 'tasks of --tasks-dir',
};

const TARGET_SUITES: readonly Suite[] = ['glue', 'superglue', 'mrqa', 'others'];
const PAPER_SUITES: readonly Suite[] = ['sources', 'extra_sources', ...TARGET_SUITES, 'generation'];

function inSuites(tasks: readonly Task[], suites: readonly Suite[]): string[] {
  const names = suites.flatMap((suite) => tasks.filter((task) => task.suites.includes(suite)).map(({ name }) => name));
  return [...new Set(names)];
}

/** All groups; `user` has no tasks until some are registered. */
export function taskGroups(): TaskGroup[] {
  const tasks = allTasks();
  return [
    ...SUITES.map((suite) => ({ name: suite, title: TITLES[suite], tasks: inSuites(tasks, [suite]) })),
    { name: 'targets', title: "the paper's 21 target tasks", tasks: inSuites(tasks, TARGET_SUITES) },
    { name: 'paper', title: 'every task of the paper, once', tasks: inSuites(tasks, PAPER_SUITES) },
  ];
}

/**
 * Names of tasks and groups to names of tasks, in the order given, each once.
 *
 * @throws UserError for a name that is neither, with the nearest of both, and for a group that is empty
 */
export function expandTasks(names: readonly string[]): string[] {
  const groups = new Map(taskGroups().map((group) => [group.name, group]));
  const known = allTasks().map(({ name }) => name);
  const expanded = names.flatMap((name) => {
    const group = groups.get(name);
    if (group === undefined) {
      if (known.includes(name)) return [findTask(name).name];
      throw new UserError(`Unknown task or group of tasks "${name}".`, {
        hint: suggestion(name, [...GROUP_NAMES, ...known]),
      });
    }
    if (group.tasks.length === 0) {
      throw new UserError(`The group "${name}" has no tasks.`, {
        hint: name === 'user' ? 'Pass --tasks-dir DIR with the YAML files of your tasks.' : '',
      });
    }
    return group.tasks;
  });
  return [...new Set(expanded)];
}
