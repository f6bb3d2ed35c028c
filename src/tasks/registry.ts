import { suggestion, UserError } from '../util/errors.js';
import { agNews } from './ag-news.js';
import { anli } from './anli.js';
import { arcChallenge } from './arc-challenge.js';
import { arcEasy } from './arc-easy.js';
import { boolq } from './boolq.js';
import { cb } from './cb.js';
import { cola } from './cola.js';
import { commonsenseQa } from './commonsense-qa.js';
import { copa } from './copa.js';
import { e2eCleaned } from './e2e-cleaned.js';
import { e2e } from './e2e.js';
import { hotpotqa } from './hotpotqa.js';
import { mnli } from './mnli.js';
import { mrpc } from './mrpc.js';
import { multirc } from './multirc.js';
import { newsqa } from './newsqa.js';
import { nq } from './nq.js';
import { openbookqa } from './openbookqa.js';
import { paws } from './paws.js';
import { qnli } from './qnli.js';
import { qqp } from './qqp.js';
import { record } from './record.js';
import { rte } from './rte.js';
import { scitail } from './scitail.js';
import { searchqa } from './searchqa.js';
import { squad } from './squad.js';
import { sst2 } from './sst2.js';
import { stsb } from './stsb.js';
import { superglueRte } from './superglue-rte.js';
import { SUITES, type FileTask, type Task } from './types.js';
import { webnlg } from './webnlg.js';
import { wic } from './wic.js';
import { winogrande } from './winogrande.js';
import { wordnetSourceTasks, wordnetTargetTasks } from './wordnet/index.js';
import { wsc } from './wsc.js';
import { yelpPolarity } from './yelp-polarity.js';
import { yelpReviewFull } from './yelp-review-full.js';

/** In the order of the paper's tables; groups (see groups.ts) list their tasks in this order. */
const BUILT_IN: readonly Task[] = [
  ...wordnetSourceTasks,
  ...wordnetTargetTasks,
  // GLUE; the first four are sources too
  ...[mnli, qqp, qnli, sst2, stsb, mrpc, rte, cola],
  // sources only
  ...[squad, record],
  ...[agNews, commonsenseQa, openbookqa, arcEasy, anli],
  // SuperGLUE
  ...[multirc, boolq, wic, wsc, cb],
  // MRQA
  ...[nq, hotpotqa, searchqa, newsqa],
  // others; winogrande is an extra source too
  ...[winogrande, yelpPolarity, scitail, paws],
  // generation
  ...[e2e, webnlg],
  // beyond the paper
  ...[copa, superglueRte, arcChallenge, yelpReviewFull, e2eCleaned],
];

/** Names that stand for several tasks, so that no task may have them (see groups.ts). */
export const GROUP_NAMES: readonly string[] = [...SUITES, 'targets', 'paper'];

const userTasks = new Map<string, FileTask>();

/** The tasks that ship: the WordNet suite, then the paper's, then some more. */
export function builtInTasks(): readonly Task[] {
  return BUILT_IN;
}

/** Every task that can be named: those that ship, then the user's. */
export function allTasks(): Task[] {
  return [...BUILT_IN, ...userTasks.values()];
}

/**
 * Makes a user's tasks known to `findTask` and `allTasks`. Registering the same file again replaces what it defined.
 *
 * @throws UserError where a name is taken by a task that ships, a group, or another file
 */
export function registerTasks(tasks: readonly FileTask[]): void {
  for (const task of tasks) {
    const file = task.defined_in?.file;
    const other = userTasks.get(task.name);
    const taken = BUILT_IN.some(({ name }) => name === task.name)
      ? 'a task of that name ships with mpt'
      : GROUP_NAMES.includes(task.name)
        ? 'that is the name of a group of tasks'
        : other !== undefined && (file === undefined || other.defined_in?.file !== file)
          ? `${other.defined_in?.file ?? 'an earlier task'} has that name`
          : undefined;
    if (taken !== undefined) {
      throw new UserError(`${file === undefined ? 'A task' : file}: the name "${task.name}" is taken: ${taken}.`, {
        hint: 'Give the task another name.',
      });
    }
    userTasks.set(task.name, task);
  }
}

/** @throws UserError for an unknown name, with the nearest one */
export function findTask(name: string): Task {
  const task = BUILT_IN.find((candidate) => candidate.name === name) ?? userTasks.get(name);
  if (task !== undefined) return task;
  const names = allTasks().map((candidate) => candidate.name);
  if (GROUP_NAMES.includes(name)) {
    throw new UserError(`"${name}" is a group of tasks where one task is needed.`, {
      hint: '`mpt ls tasks` shows what is in it.',
    });
  }
  throw new UserError(`Unknown task "${name}".`, { hint: suggestion(name, names) });
}
