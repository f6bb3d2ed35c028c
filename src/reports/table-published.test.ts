import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeScores } from '../../test/made-runs.js';
import { temporaryFolder } from '../../test/mpt.js';
import { cellOf, only, scoreOf } from '../../test/report-tables.js';
import { specOf } from './collect-report.js';
import { buildTables } from './table-build.js';
import { isScore, type PaperTable } from './types.js';

const home = temporaryFolder();
let folders = 0;
const fresh = (): string => `${home}/${folders++}`;

const T5_BASE = { config: { model: 'google-t5/t5-base' }, parameters: { trainable: 1, total: 222_903_552 } };
test('published numbers stand beside runs of the same model, method, metric and number of examples', () => {
  const out = fresh();
  const runs = [
    makeScores(out, { method: 'mpt', task: 'boolq' }, { ...T5_BASE, scores: [80] }),
    makeScores(out, { method: 'mpt', task: 'multirc' }, { ...T5_BASE, headline: 'f1', scores: [75] }),
    makeScores(out, { method: 'mpt', task: 'cb' }, { ...T5_BASE, headline: 'f1_macro', scores: [75] }),
    makeScores(out, { method: 'mpt-multitask', task: 'boolq' }, { ...T5_BASE, scores: [80] }),
    makeScores(out, { method: 'mpt-length_20', task: 'boolq' }, { ...T5_BASE, scores: [80] }),
    makeScores(out, { method: 'pt', task: 'boolq' }, { ...T5_BASE, shots: 4, scores: [60] }),
    makeScores(out, { method: 'bitfit', task: 'boolq' }, { ...T5_BASE, shots: 4, scores: [60] }),
    makeScores(out, { method: 'finetune', task: 'scitail' }, { ...T5_BASE, shots: 4, scores: [60] }),
    makeScores(out, { method: 'pt', task: 'boolq' }, { ...T5_BASE, split: 'validation', shots: 16, scores: [60] }),
  ];
  const [four, sixteen, full] = buildTables(runs, specOf());
  const of = (table: PaperTable | undefined, label: string, key: string) => cellOf(table!, label, key).published;
  assert.deepEqual(of(full, 'mpt', 'boolq.accuracy'), { value: 79.6, status: 'consistent' });
  assert.deepEqual(of(full, 'mpt', 'multirc.f1'), { value: 74.8, status: 'consistent' });
  assert.equal(of(full, 'mpt', 'cb.f1_macro'), null); // the paper has accuracy
  assert.equal(of(full, 'mpt', 'average SuperGLUE'), null); // of other tasks than the paper's five
  assert.deepEqual(of(full, 'mpt-multitask', 'boolq.accuracy'), { value: 79.2, status: 'consistent' });
  assert.equal(of(full, 'mpt-length_20', 'boolq.accuracy'), null);
  assert.deepEqual(of(four, 'pt', 'boolq.accuracy'), { value: 61.6, status: 'consistent' }); // Table 4 before Table 3
  assert.equal(of(four, 'bitfit', 'boolq.accuracy'), null);
  assert.deepEqual(of(four, 'finetune', 'scitail.accuracy'), { value: 79.6, status: 'unverified' });
  assert.equal(of(sixteen, 'pt', 'boolq.accuracy'), null); // not the test split
  assert.ok(full!.caption.some((sentence) => /Table 1 of arXiv 2303\.02861 \(~: consistent/.test(sentence)));
  assert.ok(!full!.caption.some((sentence) => sentence.includes('another model')));
});

test('a full group has its average beside the published one', () => {
  const out = fresh();
  const metrics = { multirc: 'f1', boolq: 'accuracy', wic: 'accuracy', wsc: 'accuracy', cb: 'accuracy' };
  const runs = Object.entries(metrics).map(([task, headline]) =>
    makeScores(out, { method: 'mpt', task }, { ...T5_BASE, headline, scores: [75] }),
  );
  const columns = [{ title: 'SuperGLUE', tasks: ['superglue'], metrics: null, average: 'only' as const }];
  const table = only(runs, { columns });
  assert.deepEqual(
    table.columns.map(({ key }) => key),
    ['average SuperGLUE'],
  );
  const cell = scoreOf(table, 'mpt', 'average SuperGLUE');
  assert.deepEqual([cell.mean, cell.published], [75, { value: 74.1, status: 'verified' }]);
  assert.deepEqual(table.rows[0]!.trainable_parameters, { least: 4052, most: 4052 });
  // Table 6 says which row of it a variant is.
  const rows = [
    { method: 'mpt', title: 'both', published: null },
    { method: 'mpt-plain_student', title: 'distillation alone', published: 'distillation_only' },
  ];
  const six = only(runs, { columns, rows, published: 'table6' });
  assert.deepEqual(
    six.rows.map(({ title, cells }) => [title, cells[0]!.published]),
    [
      ['both', { value: 74.1, status: 'verified' }],
      ['distillation alone', { value: 70.6, status: 'verified' }],
    ],
  );
  assert.ok(!isScore(six.rows[1]!.cells[0]!));
});

test('numbers of another model stand there only where the report asks for them, and it is said', () => {
  const out = fresh();
  const small = { config: { model: 't5-small' }, parameters: { trainable: 1, total: 60_506_624 } };
  const runs = [makeScores(out, { method: 'mpt', task: 'boolq' }, { ...small, scores: [70] })];
  assert.equal(cellOf(only(runs), 'mpt', 'boolq.accuracy').published, null);
  const asked = only(runs, { published: 'table1' });
  assert.equal(cellOf(asked, 'mpt', 'boolq.accuracy').published?.value, 79.6);
  assert.ok(asked.caption.some((text) => /are of T5-base, but runs here of .*t5-small with 60,506,624/.test(text)));
  assert.equal(cellOf(only(runs, { published: 'none' }), 'mpt', 'boolq.accuracy').published, null);
});

test('METEOR of NLTK is not put beside that of the Java scorer; TER and BLEU are', () => {
  const out = fresh();
  const large = { config: { model: 't5-large' }, parameters: { trainable: 1, total: 737_668_096 } };
  const scores = { bleu: [50], meteor_nltk: [40], ter: [40] };
  const runs = [makeScores(out, { method: 'mpt', task: 'webnlg' }, { ...large, headline: 'bleu', scores })];
  const published = only(runs).rows[0]!.cells.map((cell) => cell.published);
  assert.deepEqual(published, [{ value: 52.27, status: 'consistent' }, null, { value: 41.36, status: 'unverified' }]);
});
