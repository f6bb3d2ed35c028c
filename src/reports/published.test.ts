import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METHODS, parseMethodLabel } from '../methods/names.js';
import { findTask } from '../tasks/registry.js';
import { expandTasks } from '../tasks/groups.js';
import { findPublished, publishedModel, publishedTable, unknownRow, type PublishedQuestion } from './published.js';
import { averageKey, GLUE, MRQA, OTHERS, SUPERGLUE, valueKey } from './published/shape.js';
import { PUBLISHED_TABLES } from './spec.js';

const question = (rest: Partial<PublishedQuestion>): PublishedQuestion => ({
  table: null,
  row: null,
  method: 'mpt',
  shots: null,
  column: { task: 'boolq', metric: 'accuracy' },
  tasks: ['boolq'],
  model: 't5-base',
  ...rest,
});

test("the paper's groups are those of `mpt ls tasks`, in their order", () => {
  assert.deepEqual(expandTasks(['glue']), [...GLUE]);
  assert.deepEqual(expandTasks(['superglue']), [...SUPERGLUE]);
  assert.deepEqual(expandTasks(['mrqa']), [...MRQA]);
  assert.deepEqual(expandTasks(['others']), [...OTHERS]);
});

test("every printed average is that of its row's cells, as the numbers' status claims", () => {
  let checked = 0;
  for (const name of PUBLISHED_TABLES) {
    for (const { key, shots, values } of publishedTable(name).rows) {
      for (const tasks of [GLUE, SUPERGLUE, MRQA, OTHERS]) {
        const average = values[averageKey(tasks)];
        const cells = tasks.map((task) => values[valueKey(task, findTask(task).headline)]);
        if (average === undefined || cells.some((cell) => cell === undefined)) continue;
        const mean = cells.reduce((sum, cell) => sum + cell!.value, 0) / cells.length;
        // Rounded from unrounded cells: half a unit of its own last digit, and as much of each cell's.
        assert.ok(Math.abs(mean - average.value) <= 0.1 + 1e-9, `${name} ${key} ${shots}: ${mean} ${average.value}`);
        checked++;
      }
    }
  }
  assert.equal(checked, 13 + 9 + 14 + 12 + 4);
});

test('rows: names only once per number of shots, of methods that there are, each with its average or cells', () => {
  for (const name of PUBLISHED_TABLES) {
    const { rows } = publishedTable(name);
    const keys = rows.map(({ key, shots }) => `${key} ${shots}`);
    assert.equal(new Set(keys).size, keys.length, name);
    for (const { key, method, values } of rows) {
      assert.ok(Object.keys(values).length > 0, `${name} ${key}`);
      if (method !== null) assert.ok(METHODS.includes(parseMethodLabel(method)!.method));
    }
  }
});

test('what is looked up: method, shots, model, metric, and all tasks of an average', () => {
  const value = (rest: Partial<PublishedQuestion>) => findPublished(question(rest))?.published.value;
  assert.equal(value({}), 79.6);
  assert.equal(value({ shots: 16 }), 63.3);
  assert.equal(value({ shots: 8 }), undefined);
  assert.equal(value({ model: null }), undefined);
  assert.equal(value({ model: 't5-large' }), undefined);
  assert.equal(value({ column: { task: 'boolq', metric: 'f1' } }), undefined);
  assert.equal(value({ column: { task: null, metric: 'average' }, tasks: [...SUPERGLUE].reverse() }), 74.1);
  assert.equal(value({ column: { task: null, metric: 'average' }, tasks: SUPERGLUE.slice(1) }), undefined);
  assert.equal(value({ column: { task: 'scitail', metric: 'accuracy' }, method: 'adapter' }), 94.5);
  const average = { column: { task: null, metric: 'average' }, tasks: SUPERGLUE } as const;
  assert.equal(value({ ...average, table: 'ablations', row: 'adapt_shared_prompt_only' }), 62.5);
  assert.equal(value({ ...average, table: 'table6', row: 'neither', method: 'mpt-neither' }), 69.5);
  assert.equal(value({ ...average, table: 'table6', method: 'mpt-neither' }), undefined);
  assert.equal(findPublished(question({}))?.table.title, 'Table 1');
  // Two versions of this one are remembered, so there is none.
  assert.equal(value({ method: 'attempt', shots: 4, column: { task: 'cb', metric: 'accuracy' } }), undefined);
});

test('a model is known by its size, and by its name where no size is known', () => {
  assert.equal(publishedModel(222_903_552, 'my/weights'), 't5-base');
  assert.equal(publishedModel(247_577_856, 'google/t5-base'), null);
  assert.equal(publishedModel(null, 'google-t5/t5-large'), 't5-large');
  assert.equal(publishedModel(null, './models/t5-base'), 't5-base');
  assert.equal(publishedModel(null, 'bundled'), null);
});

test('a row that a table does not have is named, with the nearest', () => {
  assert.equal(unknownRow('table6', 'both_MPT'), undefined);
  assert.match(unknownRow('table6', 'decomposition')!, /no row "decomposition".*decomposition_only/);
});
