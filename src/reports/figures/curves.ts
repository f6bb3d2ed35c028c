import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCsv } from '../../logging/csv.js';
import { shotsOfStage } from '../../runs/paths.js';
import { lineChart } from '../line-chart.js';
import { SMOOTH_ABOVE, type Point } from '../smooth.js';
import { legend, smallMultiples, type LegendItem } from '../svg.js';
import type { Figure } from '../types.js';
import { groupBy } from './averages.js';
import { curveNotes, curveSeries, type RunCurve } from './curve-series.js';
import type { KnownRun } from './data.js';
import { shotsTitle, taskTitle, type Naming } from './naming.js';

type Rows = Record<string, string>[];

interface LoggedRun {
  run: KnownRun;
  train: Rows;
  evaluations: Rows;
}

/** One panel: lines by name, each of one or more runs. */
interface Panel {
  title: string;
  lines: Map<string, RunCurve[]>;
}

/** The terms of the distillation loss, in the order of their colours. */
const TERMS: readonly [string, string][] = [
  ['loss', 'total loss'],
  ['loss_ce', 'task loss (cross-entropy)'],
  ['loss_logits', 'logits (KL divergence)'],
  ['loss_hidden', 'hidden states (mean squared error)'],
  ['loss_prompt', 'prompts (mean squared error)'],
];

const STAGES = ['pretrain', 'teach', 'distill', 'adapt'];
const STAGE_TITLES: Record<string, string> = {
  pretrain: 'Pre-training',
  teach: 'Teachers',
  distill: 'Source prompts',
  adapt: 'Target tasks',
};

function stageTitle(stage: string): string {
  const shots = shotsOfStage(stage);
  return shots === null ? (STAGE_TITLES[stage] ?? stage) : `Few-shot, ${shotsTitle(shots)}`;
}

function rowsOf(folder: string, name: string): Rows {
  const file = join(folder, name);
  return existsSync(file) ? readCsv(file) : [];
}

function curveOf({ run }: LoggedRun, rows: Rows, column: string): RunCurve | null {
  const { seed, draw } = run.record.run as { seed: number; draw?: number };
  const points = rows.flatMap((row): Point[] => {
    const value = row[column];
    return value === undefined || value === '' ? [] : [[Number(row['step']), Number(value)]];
  });
  if (points.length === 0) return null;
  const { step, total_steps } = run.record;
  const name = draw === undefined ? `seed ${seed}` : `seed ${seed}, draw ${draw}`;
  return { name, status: run.status, step, total_steps, points };
}

/** Adds a run's curve to the panel of a task (or of a method), under the name of its line. */
function addCurve(panels: Map<string, Panel>, key: string, line: string, curve: RunCurve | null): void {
  if (curve === null) return;
  const panel = panels.get(key) ?? { title: taskTitle(key), lines: new Map<string, RunCurve[]>() };
  panels.set(key, panel);
  panel.lines.set(line, [...(panel.lines.get(line) ?? []), curve]);
}

function drawPanels(
  panels: Iterable<Panel>,
  look: {
    y_label: string;
    log_y: boolean;
    of: (line: string) => LegendItem;
    ordered: (lines: Iterable<string>) => string[];
  },
): { markup: string; longest: number } {
  const all = [...panels];
  const charts = all.map(({ title, lines }) => {
    const names = look.ordered(lines.keys());
    const series = names.map((line) => {
      const { label, style } = look.of(line);
      return curveSeries(label, style, lines.get(line)!, look.log_y);
    });
    const said = series.flatMap(({ label, stretches }) => {
      const last = stretches.at(-1)?.at(-1);
      return last === undefined ? [] : [`${label}: ${Number(last.y.toPrecision(3))} at step ${last.x}`];
    });
    const svg = lineChart({
      title: `${look.y_label}, ${title}`,
      x_label: 'step',
      y_label: look.y_label,
      series,
      spread: 'band',
      log_y: look.log_y,
      description: `Last values: ${said.join('; ')}`,
    });
    const notes = names.flatMap((line) => curveNotes(look.of(line).label, lines.get(line)!, look.log_y));
    return { title, svg, notes };
  });
  const names = look.ordered(all.flatMap(({ lines }) => [...lines.keys()]));
  const curves = all.flatMap(({ lines }) => [...lines.values()].flat());
  return {
    markup: legend(names.map(look.of)) + smallMultiples(charts),
    longest: Math.max(0, ...curves.map(({ points }) => points.length)),
  };
}

/** Loss over steps, a panel per task with a line per method. */
function lossPanels(runs: readonly LoggedRun[]): Panel[] {
  const panels = new Map<string, Panel>();
  for (const logged of runs) {
    const { task, method } = logged.run.record.run;
    addCurve(panels, task, method, curveOf(logged, logged.train, 'loss'));
  }
  return [...panels.values()];
}

/** The terms of the distillation loss over steps, a panel per method. */
function termPanels(runs: readonly LoggedRun[], naming: Naming): Panel[] {
  const panels = new Map<string, Panel>();
  for (const logged of runs) {
    for (const [column] of TERMS) {
      const curve = curveOf(logged, logged.train, column);
      // A term that is switched off is logged as zero.
      if (curve?.points.some(([, value]) => value > 0) !== true) continue;
      addCurve(panels, naming.title(logged.run.record.run.method), column, curve);
    }
  }
  return [...panels.values()];
}

/** Validation scores over steps, a panel per task; of tasks that trained together each has its own, and their mean. */
function scorePanels(runs: readonly LoggedRun[]): Panel[] {
  const panels = new Map<string, Panel>();
  for (const logged of runs) {
    const { stage, task, method } = logged.run.record.run;
    const together = stage === 'distill' || task.includes('+');
    const columns = Object.keys(logged.evaluations[0] ?? {});
    const parts = together ? columns.filter((column) => !['step', 'score', 'best'].includes(column)) : [];
    const title = stage === 'distill' ? 'Average over source tasks' : task;
    addCurve(panels, title, method, curveOf(logged, logged.evaluations, 'score'));
    for (const part of parts) addCurve(panels, part, method, curveOf(logged, logged.evaluations, part));
  }
  // A single validation is no curve.
  return [...panels.values()].filter(({ lines }) => [...lines.values()].flat().some(({ points }) => points.length > 1));
}

function captionOf(longest: number, runs: readonly LoggedRun[]): string {
  const seeds = new Set(runs.map(({ run }) => run.record.run.seed)).size;
  return [
    ...(seeds > 1 ? ['Line: mean over seeds; band: one standard deviation.'] : []),
    ...(longest > SMOOTH_ABOVE
      ? [
          `Curves of more than ${SMOOTH_ABOVE} points are running means over about a twentieth of them; ` +
            'of a single run all points are drawn faintly.',
        ]
      : []),
    ...(runs.some(({ run }) => run.status !== 'finished')
      ? [
          'A cross ends a run that failed or was stopped, an arrow one that is under way; ' +
            'where a run ends, the mean goes on over the others.',
        ]
      : []),
  ].join(' ');
}

function stageFigures(stage: string, runs: readonly LoggedRun[], naming: Naming): Figure[] {
  const title = stageTitle(stage);
  const methods = {
    ordered: naming.ordered,
    of: (label: string) => ({ label: naming.title(label), style: naming.style(label) }),
  };
  const terms = {
    ordered: (lines: Iterable<string>) => {
      const there = new Set(lines);
      return TERMS.map(([column]) => column).filter((column) => there.has(column));
    },
    of: (column: string) => {
      const slot = TERMS.findIndex(([name]) => name === column);
      return { label: TERMS[slot]![1], style: { slot, open: false } };
    },
  };
  const losses = stage === 'distill' ? termPanels(runs, naming) : lossPanels(runs);
  const scores = scorePanels(runs);
  const figures: Figure[] = [];
  const add = (name: string, heading: string, panels: Panel[], drawn: ReturnType<typeof drawPanels>): void => {
    if (panels.length === 0) return;
    const caption = captionOf(drawn.longest, runs);
    figures.push({
      id: `curves-${stage}-${name}`,
      title: `${title}: ${heading}`,
      caption,
      svg: drawn.markup,
      wide: true,
    });
  };
  const lossLook = { y_label: 'training loss', log_y: true, ...(stage === 'distill' ? terms : methods) };
  add(
    'loss',
    stage === 'distill' ? 'training loss and its terms' : 'training loss',
    losses,
    drawPanels(losses, lossLook),
  );
  add(
    'score',
    'validation score',
    scores,
    drawPanels(scores, { y_label: 'validation score', log_y: false, ...methods }),
  );
  return figures;
}

/** Training loss and validation score over steps, a figure each for every stage. */
export function curveFigures(runs: readonly KnownRun[], naming: Naming): Figure[] {
  const logged = runs
    .map((run): LoggedRun => ({
      run,
      train: rowsOf(run.folder, 'train.csv'),
      evaluations: rowsOf(run.folder, 'eval.csv'),
    }))
    .filter(({ train, evaluations }) => train.length + evaluations.length > 0);
  const place = (stage: string): number => {
    const known = STAGES.indexOf(stage);
    return known >= 0 ? known : STAGES.length + Number(/\d+$/.exec(stage)?.[0] ?? 0);
  };
  return [...groupBy(logged, ({ run }) => run.record.run.stage)]
    .sort(([a], [b]) => place(a) - place(b))
    .flatMap(([stage, own]) => stageFigures(stage, own, naming));
}
