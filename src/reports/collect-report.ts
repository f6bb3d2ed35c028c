import { basename } from 'node:path';
import { shotsOfStage } from '../runs/paths.js';
import type { RunListing } from '../runs/status.js';
import { splitByAsked } from './asked-draws.js';
import { collectTimings } from './collect.js';
import { collectFacts, countRuns } from './collect-facts.js';
import { collectProblems, type CellId } from './collect-progress.js';
import { collectFigures } from './figures/collect.js';
import { reportSection, type ReportSpec } from './spec.js';
import { buildTables } from './table-build.js';
import { FIGURE_KINDS, type Report } from './types.js';

/** A report of everything that was run, with some of its settings. */
export function specOf(settings: Partial<ReportSpec> = {}): ReportSpec {
  return { ...reportSection.parse({}), ...settings };
}

const STAGE_ORDER = ['pretrain', 'teach', 'distill', 'adapt', 'eval'];

/** Runs in the order in which stages build on each other (few-shot evaluation last), otherwise as they were. */
export function inPipelineOrder(runs: readonly RunListing[]): RunListing[] {
  const place = ({ record }: RunListing): number => {
    const index = STAGE_ORDER.indexOf(record?.run.stage ?? '');
    return index < 0 ? STAGE_ORDER.length : index;
  };
  return [...runs].sort((a, b) => place(a) - place(b));
}

/** Whether a report is about a run: one of its rows and shots, or a stage that they build on. */
function isOfReport({ record }: RunListing, { rows, shots }: ReportSpec): boolean {
  if (record === undefined) return true; // damaged: nobody can say
  const { stage, method } = record.run;
  if (stage === 'teach' || stage === 'pretrain') return true;
  const own = rows === null || rows.some((row) => row.method === method);
  if (stage === 'distill') return own || method === 'mpt';
  return own && (shots === null || shots.includes(shotsOfStage(stage) ?? 'full'));
}

/**
 * What an experiment has come to, from those of its runs that the report is about: finished, under way or failed. Reads
 * what lies in their folders.
 * @param options.experiment its name; its folder, where no record can be read that says it
 * @param options.planned cells of the tables that have no run yet
 */
export function collectReport(
  listed: readonly RunListing[],
  { experiment, spec, planned = [] }: { experiment: string; spec: ReportSpec; planned?: readonly CellId[] },
): Report {
  const name = basename(experiment);
  const all = inPipelineOrder(listed.filter((run) => isOfReport(run, spec)));
  const tables = buildTables(all, spec, planned);
  const runs = splitByAsked(all).asked;
  return {
    title: spec.title ?? name,
    subtitle: `Experiment "${name}": ${countRuns(runs)}`,
    facts: collectFacts(runs),
    tables,
    figures: collectFigures(
      runs,
      spec.figures ?? FIGURE_KINDS,
      tables.flatMap(({ rows }) => rows),
    ),
    timings: collectTimings(runs),
    problems: collectProblems(runs),
    notes: spec.notes,
  };
}
