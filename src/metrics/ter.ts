import { splitWhite } from './text.js';

/** Limits of sacrebleu, after those of tercom. */
const MAX_SHIFT_SIZE = 10;
const MAX_SHIFT_DISTANCE = 50;
const BEAM_WIDTH = 25;
const MAX_SHIFT_CANDIDATES = 1000;

const UNREACHED = 1 << 29;
/** Steps of an alignment, by what they do to the prediction: keep a word, replace it, drop it, put one in. */
const [KEEP, REPLACE, DROP, INSERT] = [0, 1, 2, 3] as const;

/**
 * Edit distances from predictions of one length to one reference, within a beam around the diagonal.
 *
 * Words are numbers. The rows of the last prediction that was aligned stay, so that a prediction with the same beginning
 * starts behind it.
 */
class BeamEditDistance {
  private readonly width: number;
  private readonly costs: Int32Array;
  private readonly steps: Uint8Array;
  private readonly scratch: [Int32Array, Int32Array];
  private base: Int32Array = new Int32Array(0);

  constructor(
    private readonly reference: Int32Array,
    private readonly length: number,
  ) {
    this.width = reference.length + 1;
    this.costs = new Int32Array((length + 1) * this.width);
    this.steps = new Uint8Array((length + 1) * this.width);
    this.scratch = [new Int32Array(this.width), new Int32Array(this.width)];
    for (let j = 0; j < this.width; j++) {
      this.costs[j] = j;
      this.steps[j] = INSERT;
    }
  }

  /** Row i of the table, for the i-th word of the prediction, out of the row before; ties prefer keep, replace, drop. */
  private fillRow(i: number, word: number, before: Int32Array, row: Int32Array, steps: Uint8Array | null): void {
    const { length, reference, width } = this;
    const ratio = reference.length / length;
    const beam = BEAM_WIDTH < ratio / 2 ? Math.ceil(ratio / 2 + BEAM_WIDTH) : BEAM_WIDTH;
    const diagonal = Math.floor(i * ratio);
    const end = i === length ? width : Math.min(width, diagonal + beam);
    row.fill(UNREACHED);
    for (let j = Math.max(0, diagonal - beam); j < end; j++) {
      let cost = before[j]! + 1;
      let step: number = DROP;
      if (j > 0) {
        const same = word === reference[j - 1];
        const through = before[j - 1]! + (same ? 0 : 1);
        if (through <= cost) {
          cost = through;
          step = same ? KEEP : REPLACE;
        }
        if (row[j - 1]! + 1 < cost) {
          cost = row[j - 1]! + 1;
          step = INSERT;
        }
      }
      row[j] = Math.min(cost, UNREACHED);
      if (steps !== null) steps[j] = step;
    }
  }

  /** Distance and alignment (steps from the first word to the last) of a prediction, whose rows are kept. */
  align(prediction: Int32Array): { distance: number; steps: number[] } {
    const { width } = this;
    this.base = prediction;
    const at = (i: number): [number, number] => [i * width, (i + 1) * width];
    for (let i = 1; i <= this.length; i++) {
      const [before, row] = [this.costs.subarray(...at(i - 1)), this.costs.subarray(...at(i))];
      this.fillRow(i, prediction[i - 1]!, before, row, this.steps.subarray(...at(i)));
    }
    const steps: number[] = [];
    for (let i = this.length, j = width - 1; i > 0 || j > 0;) {
      const step = this.steps[i * width + j]!;
      steps.push(step);
      if (step !== INSERT) i--;
      if (step !== DROP) j--;
    }
    return { distance: this.costs[this.costs.length - 1]!, steps: steps.reverse() };
  }

  /** Distance alone, of a prediction that may share its beginning with the aligned one. */
  distance(prediction: Int32Array): number {
    let same = 0;
    while (same < this.length && prediction[same] === this.base[same]) same++;
    let before: Int32Array = this.costs.subarray(same * this.width, (same + 1) * this.width);
    for (let i = same + 1; i <= this.length; i++) {
      const row = this.scratch[i % 2]!;
      this.fillRow(i, prediction[i - 1]!, before, row, null);
      before = row;
    }
    return before[this.width - 1]!;
  }
}

/** The words with `length` of them from `start` on moved in front of position `target`. */
function shifted(words: Int32Array, start: number, length: number, target: number): Int32Array {
  const rest = new Int32Array(words.length - length);
  rest.set(words.subarray(0, start));
  rest.set(words.subarray(start + length), start);
  // A target within the moved words moves them by as many words as it lies behind their start.
  const place = Math.min(target > start + length ? target - length : target, rest.length);
  const result = new Int32Array(words.length);
  result.set(rest.subarray(0, place));
  result.set(words.subarray(start, start + length), place);
  result.set(rest.subarray(place), place + length);
  return result;
}

interface Alignment {
  /** Reference position → position in the prediction that stands for it. */
  positions: number[];
  referenceErrors: boolean[];
  predictionErrors: boolean[];
}

function readSteps(steps: readonly number[]): Alignment {
  const result: Alignment = { positions: [], referenceErrors: [], predictionErrors: [] };
  let position = -1;
  for (const step of steps) {
    if (step !== INSERT) {
      position++;
      result.predictionErrors.push(step !== KEEP);
    }
    if (step !== DROP) {
      result.positions.push(position);
      result.referenceErrors.push(step !== KEEP);
    }
  }
  return result;
}

interface Shift {
  gain: number;
  length: number;
  start: number;
  target: number;
  words: Int32Array;
}

/** More than 0 where the first shift is the better one: larger gain, more words, from further left, to further left. */
function compareShifts(a: Shift, b: Shift): number {
  return a.gain - b.gain || a.length - b.length || b.start - a.start || b.target - a.target;
}

/** Pairs of equal word sequences: where they start in the prediction and in the reference, and how long they are. */
function* equalSequences(words: Int32Array, reference: Int32Array): Generator<[number, number, number]> {
  for (let start = 0; start < words.length; start++) {
    for (let from = 0; from < reference.length; from++) {
      if (Math.abs(from - start) > MAX_SHIFT_DISTANCE) continue;
      for (let length = 1; length <= MAX_SHIFT_SIZE; length++) {
        const [last, lastFrom] = [start + length - 1, from + length - 1];
        if (last >= words.length || lastFrom >= reference.length || words[last] !== reference[lastFrom]) break;
        yield [start, from, length];
      }
    }
  }
}

/** Edits (shifts included) that turn a prediction into one reference. */
function countEdits(prediction: Int32Array, reference: Int32Array): number {
  if (reference.length === 0) return prediction.length;
  const table = new BeamEditDistance(reference, prediction.length);
  let words = prediction;
  let shifts = 0;
  let candidates = 0;
  for (;;) {
    const { distance, steps } = table.align(words);
    const { positions, referenceErrors, predictionErrors } = readSteps(steps);
    let best: Shift | null = null;
    for (const [start, from, length] of equalSequences(words, reference)) {
      // Only words that are wrong where they stand move, to where the words are wrong, and not into themselves.
      if (!predictionErrors.slice(start, start + length).includes(true)) continue;
      if (!referenceErrors.slice(from, from + length).includes(true)) continue;
      if (start <= positions[from]! && positions[from]! < start + length) continue;
      let previous = -1;
      for (let offset = -1; offset < length; offset++) {
        const target = from + offset === -1 ? 0 : positions[from + offset]! + 1;
        if (target === previous) continue;
        previous = target;
        const moved = shifted(words, start, length, target);
        const shift: Shift = { gain: distance - table.distance(moved), length, start, target, words: moved };
        candidates++;
        if (best === null || compareShifts(shift, best) > 0) best = shift;
      }
      if (candidates >= MAX_SHIFT_CANDIDATES) break;
    }
    if (candidates >= MAX_SHIFT_CANDIDATES || best === null || best.gain <= 0) return shifts + distance;
    shifts++;
    words = best.words;
  }
}

/**
 * Corpus translation edit rate, times 100 (lower is better; above 100 is possible), as sacrebleu computes it by default:
 * words between spaces, case ignored, no normalisation; the fewest edits over the references against the mean length
 * of the references.
 */
export function corpusTer(predictions: readonly string[], references: readonly (readonly string[])[]): number {
  let totalEdits = 0;
  let totalLength = 0;
  predictions.forEach((prediction, i) => {
    const ids = new Map<string, number>();
    const number = (text: string): Int32Array =>
      Int32Array.from(splitWhite(text.toLowerCase()), (word) => {
        if (!ids.has(word)) ids.set(word, ids.size);
        return ids.get(word)!;
      });
    const words = number(prediction);
    const texts = references[i]!.map(number);
    totalEdits += Math.min(...texts.map((text) => countEdits(words, text)));
    totalLength += texts.reduce((sum, { length }) => sum + length, 0) / texts.length;
  });
  if (totalLength > 0) return (100 * totalEdits) / totalLength;
  return totalEdits > 0 ? 100 : 0;
}
