import type { Figure } from '../types.js';
import { groupBy } from './averages.js';
import type { Score } from './data.js';
import type { Naming } from './naming.js';
import { sweepFigure, type SweepPoint } from './sweep.js';

/** Score over the number of training examples. */
export function fewShotFigure(scores: readonly Score[], naming: Naming): Figure | null {
  const few = scores.filter(({ shots }) => shots !== null);
  const points = [...groupBy(few, ({ label, shots }) => `${label} ${shots!}`).values()].map((own): SweepPoint => ({
    label: own[0]!.label,
    x: own[0]!.shots!,
    scores: own,
  }));
  const axis = { x_label: 'training examples k (log scale)', log_x: true, tick: String };
  const sweep = sweepFigure(points, axis, naming);
  return (
    sweep && {
      id: 'few-shot',
      title: 'Few-shot: score over the number of training examples',
      caption: sweep.notes.join(' '),
      svg: sweep.markup,
      wide: true,
    }
  );
}
