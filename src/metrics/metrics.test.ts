import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findTask } from '../tasks/registry.js';
import type { Example, Task } from '../tasks/types.js';
import { packageRoot } from '../util/paths.js';
import { meanStd } from './aggregate.js';
import { binaryF1, groupedExactMatch, macroF1, matthewsCorrelation } from './classification.js';
import { pearson, spearman } from './correlation.js';
import { isCorrect, scorePredictions } from './index.js';
import { squadExactMatch, squadF1 } from './squad.js';

interface Fixture {
  classification: {
    predictions: number[];
    targets: number[];
    classes: number;
    binary_f1: number | null;
    macro_f1: number;
    matthews: number;
  }[];
  correlation: { a: number[]; b: number[]; pearson: number; spearman: number }[];
  squad: { prediction: string; references: string[]; f1: number; em: boolean }[];
  questions: {
    predictions: number[];
    targets: number[];
    groups: string[];
    f1: number;
    f1_per_question: number;
    grouped_em: number;
  }[];
  record: { predictions: string[]; answers: string[][]; em: number; f1: number }[];
  stsb: { predictions: string[]; targets: string[]; pearson: number; spearman: number }[];
}

/** Made by make.py beside it with scikit-learn, SciPy and the SQuAD v1.1 definition. */
const fixture = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/metrics/metrics.json'), 'utf8')) as Fixture;

function close(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${what}: ${actual} is not ${expected}`);
}

function examples(targets: string[], extra: Partial<Example>[] = []): Example[] {
  return targets.map((target, i) => ({ id: `test/${i}`, input: '', target, ...extra[i] }));
}

describe('metrics against Python', () => {
  it('F1 and Matthews correlation equal scikit-learn', () => {
    for (const { predictions, targets, classes, binary_f1, macro_f1, matthews } of fixture.classification) {
      const what = JSON.stringify({ predictions, targets });
      if (binary_f1 !== null) close(binaryF1(predictions, targets), binary_f1, `binary ${what}`);
      close(macroF1(predictions, targets, classes), macro_f1, `macro ${what}`);
      close(matthewsCorrelation(predictions, targets), matthews, `matthews ${what}`);
    }
  });

  it('correlations equal SciPy, with NaN as 0', () => {
    for (const { a, b, ...expected } of fixture.correlation) {
      close(pearson(a, b), expected.pearson, `pearson ${JSON.stringify({ a, b })}`);
      close(spearman(a, b), expected.spearman, `spearman ${JSON.stringify({ a, b })}`);
    }
  });

  it('answer F1 and EM equal the SQuAD definition', () => {
    for (const { prediction, references, f1, em } of fixture.squad) {
      close(squadF1(prediction, references), f1, JSON.stringify({ prediction, references }));
      assert.equal(squadExactMatch(prediction, references), em, JSON.stringify({ prediction, references }));
    }
  });

  it("MultiRC's scores over answers and per question equal scikit-learn", () => {
    const task: Task = { ...findTask('multirc'), metrics: ['f1', 'f1_per_question', 'grouped_em'] };
    for (const { predictions, targets, groups, ...expected } of fixture.questions) {
      const rows = examples(
        targets.map(String),
        groups.map((group) => ({ group })),
      );
      const texts = predictions.map((label) => (label < 0 ? 'maybe' : String(label)));
      const scores = scorePredictions(task, texts, rows);
      for (const metric of ['f1', 'f1_per_question', 'grouped_em'] as const) {
        close(scores[metric]!, expected[metric], `${metric} of ${groups.length} answers`);
      }
    }
  });

  it("ReCoRD's scores are the best over the answers, per query", () => {
    for (const { predictions, answers, ...expected } of fixture.record) {
      const rows = examples(
        answers.map(([answer]) => answer!),
        answers.map((references) => ({ references })),
      );
      const scores = scorePredictions(findTask('record'), predictions, rows);
      close(scores.em!, expected.em, 'em');
      close(scores.f1!, expected.f1, 'f1');
    }
  });

  it('correlations of texts take what is no number as -1', () => {
    for (const { predictions, targets, ...expected } of fixture.stsb) {
      const scores = scorePredictions(findTask('stsb'), predictions, examples(targets));
      close(scores.pearson!, expected.pearson, 'pearson');
      close(scores.spearman!, expected.spearman, 'spearman');
    }
  });
});

describe('scorePredictions', () => {
  it('strips white space and takes digits or label words as classes', () => {
    const digits = scorePredictions(findTask('qqp'), [' 1', '0 ', '1', 'x'], examples(['1', '0', '0', '1']));
    assert.equal(digits.accuracy, 50);
    // One hit; class 1 predicted for rows 0 and 2; the invalid row counts as 0.
    close(digits.f1!, 50, 'digits');
    const words = scorePredictions(
      findTask('qqp'),
      ['duplicate', 'not_duplicate', 'duplicate', 'x'],
      examples(['duplicate', 'not_duplicate', 'not_duplicate', 'duplicate']),
    );
    assert.deepEqual(words, digits);
  });

  it('macro F1 counts all three classes of CB', () => {
    const { accuracy, f1_macro } = scorePredictions(findTask('cb'), ['0', '0'], examples(['0', '0']));
    assert.equal(accuracy, 100);
    close(f1_macro!, 100 / 3, 'macro');
  });

  it('groups the answers of a MultiRC question', () => {
    const rows = examples(['1', '0', '1'], [{ group: 'a' }, { group: 'a' }, { group: 'b' }]);
    assert.equal(scorePredictions(findTask('multirc'), ['1', '1', '1'], rows).grouped_em, 50);
    assert.equal(groupedExactMatch([true, true], ['a', 'b']), 1);
  });

  it('answers count against every reference', () => {
    const rows = examples(['Benazir Bhutto'], [{ references: ['Benazir Bhutto', 'Bhutto'] }]);
    assert.deepEqual(scorePredictions(findTask('record'), ['the bhutto'], rows), { f1: 100, em: 100 });
    assert.ok(isCorrect(findTask('record'), 'Bhutto.', rows[0]!));
    assert.ok(!isCorrect(findTask('boolq'), 'The 1', examples(['1'])[0]!));
  });

  it('reads scores as numbers, anything else as -1', () => {
    const { pearson: r } = scorePredictions(findTask('stsb'), ['1.0', 'two', '3'], examples(['1.0', '2.0', '3.0']));
    close(r!, 100 * pearson([1, -1, 3], [1, 2, 3]), 'stsb');
    assert.equal(scorePredictions(findTask('stsb'), ['x', 'y'], examples(['1.0', '2.0'])).spearman, 0);
  });

  it('refuses lists of different lengths', () => {
    assert.throws(() => scorePredictions(findTask('boolq'), [], examples(['1'])), RangeError);
  });
});

describe('meanStd', () => {
  it('is the sample standard deviation, unknown for one value', () => {
    assert.deepEqual(meanStd([2, 4]), { mean: 3, std: Math.SQRT2, n: 2 });
    assert.deepEqual(meanStd([7]), { mean: 7, std: null, n: 1 });
  });
});
