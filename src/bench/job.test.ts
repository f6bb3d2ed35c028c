import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableEngines } from '../engines/test-engines.js';
import { startEngine } from '../engines/select.js';
import { tf } from '../engines/tf.js';
import { parseT5Config } from '../model/config.js';
import { UserError } from '../util/errors.js';
import { benchJob, type JobOptions } from './job.js';
import { lengthAt, LENGTHS } from './job-lengths.js';
import { drawJobRows } from './job-rows.js';

const config = parseT5Config(
  { vocab_size: 640, d_model: 32, d_kv: 8, d_ff: 32, num_layers: 1, num_heads: 2, relative_attention_num_buckets: 8 },
  'test',
);

const options: JobOptions = {
  shape: 'sst2',
  seed: 3,
  vocab_size: config.vocab_size,
  max_source_length: 40,
  rows: { train: 24, validation: 6, test: 10 },
  steps: 7,
  batch: 4,
  eval_batch: 4,
  eval_every: 3,
  prompt_length: 5,
  method: 'mpt',
  dropout: false,
  max_new_tokens: 8,
  length_window: 4,
};

test('lengths are read off between the quantiles', () => {
  assert.equal(lengthAt(LENGTHS.boolq, 0), 43);
  assert.equal(lengthAt(LENGTHS.boolq, 1), 837);
  assert.equal(lengthAt(LENGTHS.boolq, 0.005), 48);
  assert.equal(lengthAt(LENGTHS.sst2, 0.5), 18);
  for (const { quantiles } of Object.values(LENGTHS)) {
    assert.equal(quantiles.length, 101);
    assert.ok(quantiles.every((length, i) => i === 0 || length >= quantiles[i - 1]!));
  }
});

test('rows are a function of their seed, as long as the task has them', () => {
  const many = { ...options, max_source_length: 256, rows: { train: 2000, validation: 1, test: 1 } };
  for (const shape of ['boolq', 'sst2'] as const) {
    const rows = drawJobRows({ ...many, shape });
    assert.deepEqual(drawJobRows({ ...many, shape }), rows);
    const lengths = rows.train.map(({ source }) => source.length).sort((a, b) => a - b);
    const median = LENGTHS[shape].quantiles[50]!;
    assert.ok(Math.abs(lengths[1000]! - median) <= 0.06 * median, `${shape}: ${lengths[1000]}, not about ${median}`);
    assert.ok(Math.max(...lengths) <= 256);
    assert.ok(rows.train.every(({ source }) => source.at(-1) === 1 && source.indexOf(1) === source.length - 1));
    const first = rows.train.filter(({ target }) => target[1] === 632).length / rows.train.length;
    assert.ok(Math.abs(first - LENGTHS[shape].first_label) < 0.05, `${shape}: ${first}`);
  }
  assert.notDeepEqual(drawJobRows({ ...many, seed: 4 }), drawJobRows(many));
  assert.throws(() => drawJobRows({ ...many, vocab_size: 600 }), UserError);
});

for (const name of await availableEngines()) {
  test(`${name}: a job trains, validates and tests, and gives everything back`, async () => {
    const engine = await startEngine({ engine: name });
    const tensors = tf.memory().numTensors;
    for (const method of ['pt', 'mpt'] as const) {
      const report = await benchJob(config, false, drawJobRows(options), { ...options, method }, engine);
      assert.equal(report.labels_share, 1);
      assert.equal(report.tokenising_s, null);
      for (const key of ['training_s', 'validation_s', 'testing_s', 'cpu_s'] as const) assert.ok(report[key] >= 0, key);
      const parts = report.training_s + report.validation_s + report.testing_s;
      assert.ok(Math.abs(report.total_s - parts) < 0.05, 'the parts are the whole');
      assert.ok(report.training_padding > 0 && report.training_padding < 0.5);
      assert.ok(report.peak_tensor_mb > 0 && report.peak_rss_mb > report.peak_tensor_mb);
    }
    assert.equal(tf.memory().numTensors, tensors);
  });
}
