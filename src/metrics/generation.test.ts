import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Example, MetricName, Task } from '../tasks/types.js';
import { packageRoot } from '../util/paths.js';
import { isComparable, METRIC_FACTS } from './facts.js';
import { isCorrect, scorePredictions } from './index.js';
import { porterStem } from './porter-stemmer.js';
import { tokenize13a } from './tokenize-13a.js';
import { tokenizePtb } from './tokenize-ptb.js';
import { synonyms } from './wordnet-synonyms.js';

const METRICS = ['bleu', 'ter', 'nist', 'rouge_l', 'cider', 'meteor_nltk'] as const;

interface Corpus extends Record<(typeof METRICS)[number], number> {
  predictions: string[];
  references: string[][];
}
interface Fixture {
  corpora: Corpus[];
  ptb: { text: string; tokens: string[] }[];
  stems: Record<string, string>;
  synonyms: Record<string, string[]>;
}

/** Made by make_generation.py beside it with sacrebleu, pycocoevalcap, NLTK and mteval's definition of NIST. */
const fixture = JSON.parse(
  readFileSync(join(packageRoot(), 'test/fixtures/metrics/generation.json'), 'utf8'),
) as Fixture;

/** What the metrics look at of a task with human texts. */
const task = { name: 'texts', metrics: METRICS as readonly MetricName[] } as Task;

function examples(references: string[][]): Example[] {
  return references.map((list, i) => ({ id: `test/${i}`, input: '', target: list[0]!, references: list }));
}

function close(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${what}: ${actual} is not ${expected}`);
}

describe('generation metrics against Python', () => {
  for (const metric of METRICS) {
    it(`${metric} equals the reference scorer on made-up corpora`, () => {
      for (const [i, corpus] of fixture.corpora.entries()) {
        const scores = scorePredictions(task, corpus.predictions, examples(corpus.references));
        close(scores[metric]!, corpus[metric], `${metric} of corpus ${i} ${JSON.stringify(corpus.predictions[0])}`);
      }
    });
  }

  it('tokens equal those of the PTBTokenizer', () => {
    for (const { text, tokens } of fixture.ptb) assert.deepEqual(tokenizePtb(text), tokens);
  });

  it('stems equal those of NLTK', () => {
    for (const [word, stem] of Object.entries(fixture.stems)) assert.equal(porterStem(word), stem, word);
  });

  it('synonyms equal those of NLTK on the same WordNet', () => {
    for (const [word, names] of Object.entries(fixture.synonyms))
      assert.deepEqual([...synonyms(word)].sort(), names.sort());
  });
});

describe('generation metrics', () => {
  it('perfect texts score the most, texts without a common word nothing', () => {
    const references = [
      ['The quick brown fox jumps.', 'A fox!'],
      ['It runs over the lazy dog.', 'It runs.'],
    ];
    const perfect = scorePredictions(
      task,
      references.map((list) => list[0]!),
      examples(references),
    );
    close(perfect.bleu!, 100, 'bleu');
    close(perfect.rouge_l!, 100, 'rouge_l');
    assert.equal(perfect.ter, 0);
    const none = scorePredictions(task, ['zzz yyy', 'xxx'], examples(references));
    for (const metric of ['bleu', 'nist', 'rouge_l', 'cider', 'meteor_nltk'] as const) assert.equal(none[metric], 0);
    assert.ok(none.ter! > 0);
  });

  it('every metric is a number for empty and odd texts', () => {
    const odd = [
      '',
      ' ',
      '.',
      '\u{1f600}',
      '\ufeff\u200b',
      '\ud800',
      'a',
      '(',
      '...',
      '0',
      'constructor __proto__',
      '\n',
    ];
    for (const prediction of odd) {
      for (const reference of odd) {
        const scores = scorePredictions(task, [prediction, 'a b'], examples([[reference], ['a b', reference]]));
        for (const metric of METRICS) {
          assert.ok(Number.isFinite(scores[metric]), `${metric} of ${JSON.stringify([prediction, reference])}`);
        }
      }
    }
  });

  it('the target stands in for missing references', () => {
    const rows: Example[] = [
      { id: 'a', input: '', target: 'a small cat sleeps' },
      { id: 'b', input: '', target: 'a dog runs far', references: [] },
    ];
    close(scorePredictions(task, ['a small cat sleeps', 'a dog runs far'], rows).bleu!, 100, 'bleu');
  });

  it('a text is correct if it is one of the references, letter for letter', () => {
    const [row] = examples([['A cat.', 'One cat. ']]);
    assert.ok(isCorrect(task, ' One cat.', row!));
    assert.ok(!isCorrect(task, 'a cat', row!));
  });

  it('13a keeps numbers together and takes punctuation apart', () => {
    assert.deepEqual(tokenize13a('It\'s 1,000.5 "km", in 5-6 (U.S.).'), [
      ...["It's", '1,000.5', '"', 'km', '"', ',', 'in', '5', '-', '6', '(', 'U', '.', 'S', '.', ')', '.'],
    ]);
  });
});

describe('METRIC_FACTS', () => {
  it('leaves out of averages what is on a scale of its own, or better when low', () => {
    const own = (Object.keys(METRIC_FACTS) as MetricName[]).filter((metric) => !isComparable(metric));
    assert.deepEqual(own, ['nist', 'cider', 'ter']);
  });
});
