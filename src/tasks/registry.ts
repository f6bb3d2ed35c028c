import { suggestion, UserError } from '../util/errors.js';
import { boolq } from './boolq.js';
import { cb } from './cb.js';
import { cola } from './cola.js';
import { mnli } from './mnli.js';
import { mrpc } from './mrpc.js';
import { multirc } from './multirc.js';
import { qnli } from './qnli.js';
import { qqp } from './qqp.js';
import { record } from './record.js';
import { rte } from './rte.js';
import { squad } from './squad.js';
import { sst2 } from './sst2.js';
import { stsb } from './stsb.js';
import type { Task } from './types.js';
import { wic } from './wic.js';
import { wordnetSourceTasks, wordnetTargetTasks } from './wordnet/index.js';
import { wsc } from './wsc.js';

const TASKS: readonly Task[] = [
  ...wordnetSourceTasks,
  ...wordnetTargetTasks,
  mnli,
  qnli,
  qqp,
  sst2,
  squad,
  record,
  boolq,
  cb,
  multirc,
  wic,
  wsc,
  rte,
  cola,
  mrpc,
  stsb,
];

/** Every task that can be named: the WordNet suite, then the paper's tasks. */
export function allTasks(): Task[] {
  return [...TASKS];
}

/** @throws UserError for an unknown name, with the nearest one */
export function findTask(name: string): Task {
  const task = TASKS.find((candidate) => candidate.name === name);
  if (task === undefined) {
    throw new UserError(`Unknown task "${name}".`, {
      hint: suggestion(
        name,
        TASKS.map((candidate) => candidate.name),
      ),
    });
  }
  return task;
}
