import { methodLabel, parseMethodLabel } from '../../methods/names.js';
import type { Figure } from '../types.js';
import { groupBy } from './averages.js';
import { adaptationOf, configOf, type KnownRun, type Score } from './data.js';
import { shortCount, shotsTitle, type Naming } from './naming.js';
import { sweepFigure, type SweepAxis, type SweepPoint } from './sweep.js';

interface Setting {
  value: number;
  /** Words that name the setting or its value in the name of a variant. */
  words: readonly string[];
}

/** The label without what only names the setting: pt-length_20 → pt, mpt-no_hidden-length_20 → mpt-no_hidden. */
export function withoutSetting(label: string, words: readonly string[]): string {
  const id = parseMethodLabel(label);
  if (id === undefined || id.variant === null) return label;
  const rest = id.variant.split('-').flatMap((part) => {
    const kept = part.split(/[_.]/).filter((word) => !words.includes(word.toLowerCase()));
    return kept.length === 0 ? [] : [kept.join('_')];
  });
  return methodLabel({ ...id, variant: rest.length === 0 ? null : rest.join('-') });
}

function lengthOf(run: KnownRun): Setting | null {
  const prompt = configOf(run)?.['prompt'] as { length?: unknown } | undefined;
  const length = Number(prompt?.length);
  if (!Number.isSafeInteger(length) || length < 1) return null;
  return { value: length, words: ['length', 'prompt', 'p', String(length), `length${length}`, `p${length}`] };
}

function sizeOf(run: KnownRun): Setting | null {
  const total = run.record.parameters?.total;
  if (total === undefined || !(total > 0)) return null;
  const model = configOf(run)?.['model'];
  const name =
    typeof model === 'string'
      ? (model
          .replace(/[\\/]+$/, '')
          .split(/[\\/]/)
          .at(-1) ?? '')
      : '';
  return { value: total, words: ['model', 'size', 't5', ...name.toLowerCase().split(/[-_.]/), name.toLowerCase()] };
}

/** Points of the methods that were run with two values or more. */
function pointsOf(
  scores: readonly Score[],
  runs: readonly KnownRun[],
  settingOf: (run: KnownRun) => Setting | null,
): SweepPoint[] {
  const settings = new Map<KnownRun, Setting | null>();
  const placed = scores.flatMap((score) => {
    const run = adaptationOf(score, runs);
    if (!settings.has(run)) settings.set(run, settingOf(run));
    const setting = settings.get(run) ?? null;
    if (setting === null) return [];
    return [{ label: withoutSetting(score.label, setting.words), x: setting.value, score }];
  });
  const points = [...groupBy(placed, ({ label, x }) => `${label} ${x}`).values()].map((own): SweepPoint => {
    // Two labels may stand for the same settings (mpt, and mpt-length_100): that which names them was run for this.
    const named = own.find(({ label, score }) => score.label !== label) ?? own[0]!;
    const scores = own.filter(({ score }) => score.label === named.score.label).map(({ score }) => score);
    return { label: named.label, x: named.x, scores };
  });
  const values = groupBy(points, ({ label }) => label);
  return points.filter(({ label }) => values.get(label)!.length > 1);
}

function settingFigures(
  scores: readonly Score[],
  runs: readonly KnownRun[],
  naming: Naming,
  figure: { id: string; title: string; axis: SweepAxis; settingOf: (run: KnownRun) => Setting | null },
): Figure[] {
  const byShots = [...groupBy(scores, ({ shots }) => String(shots)).values()];
  return byShots.flatMap((own): Figure[] => {
    const sweep = sweepFigure(pointsOf(own, runs, figure.settingOf), figure.axis, naming);
    if (sweep === null) return [];
    const [{ shots }] = own as [Score, ...Score[]];
    return [
      {
        id: shots === null ? figure.id : `${figure.id}-${shots}`,
        title: shots === null ? figure.title : `${figure.title}, ${shotsTitle(shots)}`,
        caption: sweep.notes.join(' '),
        svg: sweep.markup,
        wide: true,
      },
    ];
  });
}

/** Score over the length of the prompt, of methods that were run with several. */
export function promptLengthFigures(scores: readonly Score[], runs: readonly KnownRun[], naming: Naming): Figure[] {
  const axis = { x_label: 'prompt length (vectors)', log_x: false, tick: String };
  return settingFigures(scores, runs, naming, {
    id: 'prompt-length',
    title: 'Score over the length of the prompt',
    axis,
    settingOf: lengthOf,
  });
}

/** Score over the size of the frozen model, of methods that were run on several. */
export function modelSizeFigures(scores: readonly Score[], runs: readonly KnownRun[], naming: Naming): Figure[] {
  const axis = { x_label: 'parameters of the model (log scale)', log_x: true, tick: shortCount };
  return settingFigures(scores, runs, naming, {
    id: 'model-size',
    title: 'Score over the size of the model',
    axis,
    settingOf: sizeOf,
  });
}
