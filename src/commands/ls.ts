import { Command, Option } from '@commander-js/extra-typings';
import { examplesOf, openTask, SPLIT_NAMES } from '../data/dataset.js';
import { print, printJson } from '../logging/console.js';
import { modelFolder } from '../model/folder.js';
import { stdoutOptions } from '../reports/formats/terminal.js';
import { showExample } from '../reports/shown-example.js';
import { taskFacts, taskSummary, type TaskFacts, type TaskSummary } from '../reports/task-facts.js';
import {
  exampleList,
  groupList,
  tableNotes,
  taskDetails,
  taskTable,
  type ShownSplit,
  type ViewOptions,
} from '../reports/task-view.js';
import { expandTasks, taskGroups, type TaskGroup } from '../tasks/groups.js';
import { knownTaskNames } from '../tasks/known-tasks.js';
import { allTasks, findTask } from '../tasks/registry.js';
import type { SplitName, Task, TemplateFamily } from '../tasks/types.js';
import { loadTokenizer } from '../tokenizer/tokenizer.js';
import { UserError } from '../util/errors.js';
import { wholeNumber } from './stage-options.js';

const EXAMPLES = `
Examples:
  $ mpt ls tasks                                          all tasks, and the groups that stand for several
  $ mpt ls tasks superglue                                the tasks of a group
  $ mpt ls tasks boolq                                    everything about one
  $ mpt ls tasks wn_living --show-examples 3              rendered rows, token counts, and what truncation cuts
  $ mpt ls tasks boolq --show-examples 3 --data-dir ./data --model ./t5-base --json`;

/** What `mpt ls tasks` was asked for. */
export interface LsTasksOptions {
  /** Make the rows of WordNet tasks to count them. */
  counts: boolean;
  data_dir: string | null;
  template: TemplateFamily;
  task_prefix: boolean;
  /** Whose tokenizer counts. */
  model: string;
  split: SplitName;
  /** Examples to show; null for none. */
  show_examples: number | null;
}

async function shownSplit(task: Task, count: number, options: LsTasksOptions): Promise<ShownSplit> {
  const { split, template, task_prefix, data_dir } = options;
  // Before the rows, which may come over the network: a wrong name of a model is soon told.
  const tokenizer = loadTokenizer(await modelFolder(options.model));
  const open = await openTask(task, { data_dir, template, task_prefix, [`max_${split}_examples`]: count });
  const examples = await examplesOf(open.splits[split]);
  return {
    split,
    template,
    from: open.from,
    examples: examples.slice(0, count).map((example) => showExample(example, task.labels, task, tokenizer)),
  };
}

/** Several tasks, and groups. */
export interface TaskList {
  tasks: TaskSummary[];
  groups: TaskGroup[];
}

/** One task, with examples where they were asked for. */
export type TaskReport = TaskFacts & { shown?: ShownSplit };

/**
 * What `mpt ls tasks [NAME]` tells, as plain data. A name is that of a task or of a group.
 *
 * @throws UserError for an unknown name, with the nearest; for examples without a task; for rows that cannot be had
 */
export async function lsTasks(name: string | undefined, options: LsTasksOptions): Promise<TaskList | TaskReport> {
  const groups = taskGroups();
  const group = groups.find((candidate) => candidate.name === name);
  if (name !== undefined && group === undefined) {
    // Throws for a name that is neither, with the nearest of tasks and groups.
    const task = findTask(expandTasks([name])[0]!);
    const facts = taskFacts(task, { count: true, task_prefix: options.task_prefix });
    if (options.show_examples === null) return facts;
    return { ...facts, shown: await shownSplit(task, options.show_examples, options) };
  }
  if (options.show_examples !== null) {
    throw new UserError('--show-examples needs the name of one task.', {
      hint: `For instance: mpt ls tasks ${group?.tasks[0] ?? 'wn_living'} --show-examples ${options.show_examples}`,
    });
  }
  const tasks = group === undefined ? allTasks() : expandTasks([group.name]).map(findTask);
  return {
    tasks: tasks.map((task) => taskSummary(task, options.counts)),
    groups: group === undefined ? groups.filter((each) => each.tasks.length > 0) : [group],
  };
}

/** The same for people. */
export function lsTasksText(found: TaskList | TaskReport, view: ViewOptions): string {
  if ('tasks' in found) {
    const { tasks, groups } = found;
    return [taskTable(tasks, view), tableNotes(tasks, view), groupList(groups, view)].join('\n\n');
  }
  const shown = found.shown === undefined ? [] : [exampleList(found.shown, view)];
  return [taskDetails(found, view), ...shown].join('\n\n');
}

/** `mpt ls`: what there is. */
export function lsCommand() {
  // Subcommands inherit it; the program only sees to its own commands.
  const ls = new Command('ls').description('list what there is: tasks');
  ls.command('tasks')
    .description('all tasks and groups of tasks, or everything about one')
    .argument('[name]', 'a task, or a group of tasks')
    .option('--json', 'print as JSON on stdout')
    .option('--counts', 'make the rows of the WordNet tasks to count them (seconds)')
    .option('--show-examples <n>', 'rendered examples with their token counts and what truncation cuts', wholeNumber)
    .addOption(new Option('--split <name>', 'which examples').choices(SPLIT_NAMES).default('train' as const))
    .addOption(
      new Option('--template <family>', 'how examples are rendered')
        .choices(['attempt', 't5'] as const)
        .default('attempt' as const),
    )
    .option('--no-task-prefix', "leave out the task's name in front of the input")
    .option('--data-dir <dir>', 'folder with <task>/<split>.jsonl or .parquet (default: the Hugging Face hub)')
    .option('--tasks-dir <dir>', 'folder of YAML files that define tasks of your own')
    .option('-m, --model <model>', 'whose tokenizer counts: "bundled", a T5 of the hub, or a folder', 'bundled')
    .addHelpText('after', EXAMPLES)
    .action(async (name, options) => {
      knownTaskNames(options.tasksDir ?? null);
      const found = await lsTasks(name, {
        counts: options.counts === true,
        data_dir: options.dataDir ?? null,
        template: options.template,
        task_prefix: options.taskPrefix,
        model: options.model,
        split: options.split,
        show_examples: options.showExamples ?? null,
      });
      if (options.json === true) return printJson(found);
      const { color, width } = stdoutOptions();
      print(lsTasksText(found, { color, ...(width !== undefined && { width: Math.max(80, width) }) }));
    });
  return ls;
}
