import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { baseFolder, NOTHING, runFileOf } from './fixtures.js';
import { buildGraph } from './graph.js';
import { emptyRows } from './report-rows.js';

const folder = baseFolder();
const TEXT = `
variants: { no_hidden: { distill.loss_hidden: false } }
steps:
  - { stage: teach, config: teach.yaml }
  - { stage: distill, config: distill.yaml, variants: [plain, no_hidden] }
  - { stage: adapt, config: adapt.yaml, methods: [mpt], variants: [plain, no_hidden], tasks: [boolq, cb] }
  - { stage: eval, config: eval.yaml }
report:
  columns: [{ title: all, tasks: [boolq, cb, wic] }]
  rows: [{ method: mpt }, { method: mpt-no_hiden }, { method: bitfit }]
`;

test('rows and tasks of a report that no step makes are named, with the nearest label', () => {
  const file = runFileOf(folder, TEXT);
  const nodes = buildGraph(file, NOTHING);
  assert.deepEqual(
    emptyRows(file, nodes, () => false),
    [
      'report: no step of this file makes mpt-no_hiden; did you mean "mpt-no_hidden"?',
      'report: no step of this file makes bitfit',
      'report: no step of this file has the task wic',
    ],
  );
  // Another file of the experiment has made them.
  const made = [join(file.out, 'x', 'eval', 'bitfit'), join(file.out, 'x', 'eval', 'mpt-no_hiden')];
  assert.deepEqual(
    emptyRows(file, nodes, (path) => made.includes(path)),
    ['report: no step of this file has the task wic'],
  );
});
