// What is said where a prompt was trained on another model or on other texts: each difference once, with all files.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { openTinyModel } from '../../test/tiny-model.js';
import { encodeSafetensors } from '../checkpoints/safetensors.js';
import { useEngine } from '../engines/test-engines.js';
import type { OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { promptMetadata } from './prepare.js';
import { checkProvenance, checkProvenanceOf } from './provenance.js';

const folder = mkdtempSync(join(tmpdir(), 'mpt-provenance-'));
const NOW = { template: 'attempt', task_prefix: true } as const;
let model: OpenModel;

before(async () => {
  await useEngine('wasm');
  model = openTinyModel();
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
  disposeWeights(model.model.weights);
});

/** The model as another command opens it. */
const opened = (): OpenModel => ({ ...model });
const trained = (file: string, more: object = {}) => ({ file, metadata: { ...promptMetadata(model, NOW), ...more } });

/** The warnings of `work`. */
function warnings(t: TestContext, work: () => void): string[] {
  const lines: string[] = [];
  const mock = t.mock.method(process.stderr, 'write', (text: string) => lines.push(text) > 0);
  try {
    work();
  } finally {
    mock.mock.restore();
  }
  return lines.map((line) => line.trimEnd());
}

test('each difference is one warning with all that it is true of, and no file is named again', (t) => {
  const open = opened();
  const other = { model: 'another' };
  const first = [trained('a', other), trained('b'), trained('c', { ...other, template: 't5' }), trained('a', other)];
  assert.deepEqual(
    warnings(t, () => checkProvenance(first, open, NOW)),
    [
      `warning: trained on another model than ${open.folder}, or on other files of it:\n  a\n  c`,
      'warning: trained with data.template t5, but this config has attempt (texts that it does not know): c',
    ],
  );
  const then = [...first, trained('d', { task_prefix: 'false' })];
  assert.deepEqual(
    warnings(t, () => checkProvenance(then, open, NOW)),
    ['warning: trained with data.task_prefix false, but this config has true (texts that it does not know): d'],
  );
  // Another command says it anew; a prompt of another tool says nothing of how it was made.
  assert.equal(warnings(t, () => checkProvenance(first, opened(), NOW)).length, 2);
  assert.deepEqual(
    warnings(t, () => checkProvenance([{ file: 'x', metadata: {} }], opened(), NOW)),
    [],
  );
});

test('files are looked at where they can be read; long lists end', (t) => {
  const file = join(folder, 'prompt.safetensors');
  const prompt = { shape: [1, 2], data: new Float32Array(2) };
  writeFileSync(file, encodeSafetensors({ prompt }, { template: 't5' }));
  writeFileSync(join(folder, 'broken.safetensors'), 'x');
  const paths = [join(folder, 'nowhere'), join(folder, 'broken.safetensors'), folder, file];
  const [line, ...more] = warnings(t, () => checkProvenanceOf(paths, opened(), NOW));
  assert.ok(line?.endsWith(`: ${file}`), line);
  assert.deepEqual(more, []);

  const many = Array.from({ length: 25 }, (_, i) => trained(`p${i}`, { template: 't5' }));
  const [long] = warnings(t, () => checkProvenance(many, opened(), NOW));
  assert.match(long!, /:\n {2}p0\n[^]* {2}p19\n {2}… and 5 more$/);
});
