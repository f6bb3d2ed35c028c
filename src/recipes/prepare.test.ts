// What banners say of the data: of a task, of tasks that train together, and of each only once.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openTinyModel } from '../../test/tiny-model.js';
import { sections, tinyTask } from '../../test/tiny-session.js';
import { schemas, type SamplingSection } from '../config/schema.js';
import { cutIntoPasses, paddingWaste } from '../data/padding.js';
import { useEngine } from '../engines/test-engines.js';
import { disposeWeights } from '../model/weights.js';
import { formatPercent } from '../util/format.js';
import { dataFacts, eachOnce, jointFacts, type PreparedTask } from './prepare.js';
import { taskRows } from './step-rows.js';

let tasks: PreparedTask[];
const { sampling } = schemas.adapt.parse({ tasks: ['boolq'] });
const BATCH = 8;

before(async () => {
  await useEngine('wasm');
  const open = openTinyModel();
  const data = { max_source_length: 64 };
  tasks = [await tinyTask('sst2', open, data), await tinyTask('boolq', open, data)];
  disposeWeights(open.model.weights);
});

/** Padding of the first batches that a run on these tasks trains on, computed from the rows themselves. */
function wasteOf(own: SamplingSection, length_window: number): string {
  const { train } = sections({ batch_size: BATCH, length_window });
  const source = taskRows(tasks.map((task) => task.train().rows), train, { sampling: own, seed: 0 }); // prettier-ignore
  const steps = Array.from({ length: 128 }, () => {
    const rows = source.next().map(({ example }) => ({ source: example.source.length, target: example.target.length }));
    return cutIntoPasses(rows, BATCH, false);
  });
  return formatPercent(paddingWaste(steps.flat()).total.waste);
}

test('tasks that train together: sizes, and the padding of the batches that their sampler makes', () => {
  const facts = (own: SamplingSection, length_window: number) =>
    jointFacts(tasks, sections({ batch_size: BATCH, length_window }).train, own);
  const mixed = wasteOf(sampling, 1);
  const [sst2, boolq, padding] = facts(sampling, 1);
  assert.deepEqual([sst2![0], boolq![0], padding![0]], ['sst2', 'boolq', 'padding']);
  assert.match(sst2![1], /^\d+ train$/);
  assert.match(padding![1], new RegExp(`^${mixed} of positions; [\\d.]+ % if all were padded to the maximum$`));
  const windowed = facts(sampling, 4)[2]![1];
  assert.match(
    windowed,
    new RegExp(`^${wasteOf(sampling, 4)} \\(${mixed} without train\\.length_window\\) of positions`),
  );
  // Batches of one task at a time hold rows that are more alike.
  const apart = { ...sampling, stochastic: true, min_tasks: 1 };
  assert.equal(facts(apart, 1)[2]![1].split(' of ')[0], wasteOf(apart, 1));
  const alone = dataFacts(tasks[0]!, sections({ batch_size: BATCH }).train).find(([name]) => name === 'padding')!;
  assert.notEqual(alone[1], padding![1]);
});

test('a line is said once; another value of the same name is another line', () => {
  const unsaid = eachOnce();
  assert.deepEqual(unsaid([['a', '1'], ['b', '2']]), [['a', '1'], ['b', '2']]); // prettier-ignore
  assert.deepEqual(unsaid([['a', '1'], ['b', '3']]), [['b', '3']]); // prettier-ignore
  assert.deepEqual(eachOnce()([['a', '1']]), [['a', '1']]);
});
