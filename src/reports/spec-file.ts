import { existsSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, faultsFromIssues, type Fault } from '../config/errors.js';
import { findLocated, plainValue, readLocated, type Located } from '../config/located.js';
import { count, folderName } from '../config/rules.js';
import { showPath } from '../config/show-path.js';
import { METHODS, methodLabel } from '../methods/names.js';
import { knownTaskNames } from '../tasks/known-tasks.js';
import { UserError } from '../util/errors.js';
import type { CellId } from './collect-progress.js';
import { specFaults } from './spec-faults.js';
import { reportSection, type ReportSpec } from './spec.js';
import { expandNames } from './table-columns.js';

/** What a report takes from a run file; its other keys are `mpt run`'s business. */
export interface ReportFile {
  experiment: string;
  out: string;
  spec: ReportSpec;
  /** Cells that its steps work for, as far as the file itself says. */
  planned: CellId[];
  /** It has steps, which `mpt run` does. */
  hasSteps: boolean;
}

const fileSchema = z.looseObject({
  experiment: folderName().describe('name of the folder in `out`'),
  title: z.string().min(1).nullable().default(null),
  out: z.string().min(1).default('runs').describe('folder of all results'),
  report: reportSection,
});

const names = z.array(z.string().min(1));

/** As much of a step as tells which cells it works for. */
const stepSchema = z.looseObject({
  stage: z.enum(['adapt', 'eval']),
  tasks: names,
  methods: z.array(z.enum(METHODS)),
  multi_task: z.boolean().default(false),
  variants: names.default(['plain']),
  few_shot: z.looseObject({ shots: z.array(count()) }).nullish(),
});

type Plain = Record<string, unknown>;

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Plain)[key] : undefined;
}

function plannedCells(step: unknown): CellId[] {
  const parsed = stepSchema.safeParse(step);
  if (!parsed.success) return [];
  const { tasks, methods, multi_task, variants, few_shot } = parsed.data;
  const all = expandNames(tasks);
  const labels = methods.flatMap((method) =>
    variants.map((name) => methodLabel({ method, multi_task, variant: name === 'plain' ? null : name })),
  );
  const shots = few_shot?.shots ?? [null];
  return shots.flatMap((k) => labels.flatMap((method) => all.map((task) => ({ method, task, shots: k }))));
}

function readRoot(file: string, faults: Fault[]): Located {
  const root = readLocated(file, file, faults);
  if (root?.kind === 'map') return root;
  if (faults.length === 0) {
    faults.push({ origin: root?.origin ?? { file }, path: '', message: 'right would be "key: value" lines' });
  }
  throw new ConfigError(faults);
}

/**
 * Reads `experiment`, `out`, `title` and `report` of a run file, and which cells its steps work for.
 * @throws ConfigError with all faults, each with its place; UserError when there is no such file
 */
export function readReportFile(file: string): ReportFile {
  if (!existsSync(file)) throw new UserError(`There is no run file ${file}.`);
  const faults: Fault[] = [];
  const root = readRoot(file, faults);
  const value = plainValue(root);
  const result = fileSchema.safeParse(value);
  if (!result.success) faults.push(...faultsFromIssues(fileSchema, root, result.error.issues));
  if (faults.length > 0 || !result.success) throw new ConfigError(faults);

  const { experiment, title, out, report } = result.data;
  const tasksDir = at(at(at(value, 'settings'), 'data'), 'tasks_dir');
  const written = at(value, 'steps');
  const steps: unknown[] = Array.isArray(written) ? written : [];
  // Tasks of the user's own may have been made known on the command line of `mpt run` alone.
  const own = steps.flatMap((step) => names.safeParse(at(step, 'tasks')).data ?? []);
  const known = [...knownTaskNames(typeof tasksDir === 'string' ? tasksDir : null), ...own];
  faults.push(
    ...specFaults(report, known).map(({ path, message }): Fault => {
      const full = ['report', ...path];
      return { origin: findLocated(root, full).value.origin, path: showPath(full), message };
    }),
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    experiment,
    out,
    spec: { ...report, title: report.title ?? title },
    planned: steps.flatMap(plannedCells),
    hasSteps: steps.length > 0,
  };
}
