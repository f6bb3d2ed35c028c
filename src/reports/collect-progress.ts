import { separateTasks, shotsOfStage, type RunId } from '../runs/paths.js';
import type { RunListing } from '../runs/status.js';
import { evaluationOf } from './collect.js';

/** A cell of a table as runs have it: a method on a task, on full data (null) or k examples. */
export interface CellId {
  method: string;
  task: string;
  shots: number | null;
}

/** The cells that a run works for; none for teachers, distillation and the like. */
export function cellsOfRun({ stage, method, task }: RunId): CellId[] {
  const shots = shotsOfStage(stage);
  if (shots === null && stage !== 'adapt' && stage !== 'eval') return [];
  return separateTasks(task).map((one) => ({ method, task: one, shots }));
}

function steps({ record }: RunListing): string {
  if (record === undefined || record.step === null) return '';
  return record.total_steps === null ? ` ${record.step}` : ` ${record.step}/${record.total_steps}`;
}

/** How the runs of a cell stand: what to say where it has no score, and whether more is to come where it has. */
export interface CellProgress {
  missing: string;
  incomplete: boolean;
}

const NOTHING: CellProgress = { missing: 'not run', incomplete: false };

/** Worst first: what a cell without a score is said to be. */
const URGENCY = ['failed', 'damaged', 'killed', 'stopped', 'running'];

function progressOf(runs: readonly RunListing[]): CellProgress {
  const open = runs
    .filter(({ status }) => status !== 'finished')
    .sort((a, b) => URGENCY.indexOf(a.status) - URGENCY.indexOf(b.status));
  const worst = open[0];
  if (worst !== undefined) {
    return { missing: worst.status === 'failed' ? 'failed' : `${worst.status}${steps(worst)}`, incomplete: true };
  }
  // An adapted seed without its test is as open as one that is not adapted.
  const tested = new Set(runs.flatMap((run) => (evaluationOf(run) === undefined ? [] : [run.record!.run.seed])));
  const untested = runs.some(({ record }) => record?.run.stage === 'adapt' && !tested.has(record.run.seed));
  return { missing: runs.length === 0 ? 'not run' : 'not tested', incomplete: untested };
}

/** How each cell stands; a function that answers for cells without a run too. */
export function collectProgress(runs: readonly RunListing[]): (cell: CellId) => CellProgress {
  const key = ({ method, task, shots }: CellId): string => [method, task, shots].join(' ');
  const byCell = new Map<string, RunListing[]>();
  for (const run of runs) {
    for (const cell of run.record === undefined ? [] : cellsOfRun(run.record.run)) {
      byCell.set(key(cell), [...(byCell.get(key(cell)) ?? []), run]);
    }
  }
  return (cell) => {
    const own = byCell.get(key(cell));
    return own === undefined ? NOTHING : progressOf(own);
  };
}

/** A sentence for each run that is not finished: what it is, how it stands, why, and where it lies. */
export function collectProblems(runs: readonly RunListing[]): string[] {
  return runs.flatMap(({ folder, status, record, problem, log }) => {
    if (status === 'finished') return [];
    // What is wrong with a file begins with the file's name.
    if (record === undefined) return [`damaged: ${problem?.replace(': damaged:', ':') ?? folder}`];
    const { stage, method, task, seed, draw } = record.run;
    const name = [stage, method, task, `seed ${seed}`, ...(draw === undefined ? [] : [`draw ${draw}`])].join(' ');
    const { step, total_steps } = record;
    const at = step === null ? '' : `, step ${step}${total_steps === null ? '' : ` of ${total_steps}`}`;
    const reason =
      status === 'killed'
        ? ': its process has ended without a word; the same command goes on'
        : record.error === null
          ? ''
          : `: ${record.error.replace(/\s+/g, ' ').trim()}`;
    return [`${name}: ${status}${at}${reason} (${log ?? folder})`];
  });
}
