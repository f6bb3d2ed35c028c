// What is said where a variant builds on the plain method: a name may be misspelt, or there is nothing of its own to have.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../test/mpt.js';
import { schemas, type AdaptConfig, type DistillConfig } from '../config/schema.js';
import { DISTILLED, folderOfVariant, sayTeachers, sayVariant, TEACHERS, tunedIn, variantNote } from './variant.js';

const out = temporaryFolder();
for (const path of ['teach/pt', 'distill/mpt', 'distill/mpt-no_hidden', 'distill/mpt-short', 'adapt/pt', 'adapt/mpt-x'])
  mkdirSync(join(out, 'many', path), { recursive: true });
for (const path of ['teach/pt', 'teach/pt-long', 'distill/mpt']) mkdirSync(join(out, 'few', path), { recursive: true });
mkdirSync(join(out, 'none', 'distill', 'mpt-a'), { recursive: true });

const place = (experiment: string, variant: string | null) => ({ out, experiment, variant });
const config = (experiment: string, variant: string | null, more: object = {}): AdaptConfig =>
  schemas.adapt.parse({ out, experiment, variant, tasks: ['cb'], ...more });

test('a variant has its own folder, or that of the plain method', () => {
  const folder = (experiment: string, variant: string | null) => folderOfVariant(place(experiment, variant), DISTILLED);
  assert.equal(folder('many', 'no_hidden'), join(out, 'many', 'distill', 'mpt-no_hidden'));
  for (const variant of ['no_hiden', null]) assert.equal(folder('many', variant), join(out, 'many', 'distill', 'mpt'));
  assert.equal(folderOfVariant(place('few', 'long'), TEACHERS), join(out, 'few', 'teach', 'pt-long'));
});

test('the note names the nearest variant that was made there, else all; it doubts only where there are some', () => {
  const note = (experiment: string, variant: string | null, kind = DISTILLED) =>
    variantNote(place(experiment, variant), kind);
  const none = (name: string): string => `there is no distilled run of variant "${name}"; starting from the plain one`;
  assert.deepEqual(note('many', 'no_hiden'), {
    text: `${none('no_hiden')}. Did you mean "no_hidden"?`,
    doubtful: true,
  });
  assert.deepEqual(note('many', 'frozen'), { text: `${none('frozen')} (there are no_hidden, short)`, doubtful: true });
  assert.deepEqual(note('few', 'frozen'), { text: none('frozen'), doubtful: false });
  // Nothing to say: it is there, it is the plain one, or not even that is there, which is an error's to say.
  for (const [experiment, variant] of [
    ['many', 'short'],
    ['many', null],
    ['none', 'b'],
    ['nowhere', 'b'],
  ] as const)
    // prettier-ignore
    assert.equal(note(experiment, variant), undefined);
  assert.match(
    note('few', 'lng', TEACHERS)!.text,
    /^there are no teachers of variant "lng"; .* Did you mean "long"\?$/,
  );
  assert.equal(note('many', 'x', tunedIn('adapt'))!.doubtful, false, 'mpt-x is no variant of pt');
});

/** What is said. */
function said(t: TestContext, work: () => void): string[] {
  const lines: string[] = [];
  const mock = t.mock.method(process.stderr, 'write', (text: string) => lines.push(text.trimEnd()) > 0);
  try {
    work();
  } finally {
    mock.mock.restore();
  }
  return lines;
}

test('it is said once: a warning where it may be misspelt; nothing of a sweep, or where a folder is named', (t) => {
  const adapt = (experiment: string, methods: AdaptConfig['method'][], more: object = {}, context = {}): string[] =>
    said(t, () => sayVariant(methods, config(experiment, 'no_hiden', more), ['adapt'], context));
  const [line, ...others] = adapt('many', ['mpt', 'pt', 'mpt']);
  assert.match(line!, /^warning: there is no distilled run of variant "no_hiden"/);
  assert.deepEqual(others, []);
  assert.match(adapt('few', ['mpt'])[0]!, /^note: there is no distilled run/);
  assert.deepEqual(adapt('many', ['mpt'], {}, { sweeps: true }), []);
  assert.deepEqual(adapt('many', ['mpt'], { source: '.' }), []);
  assert.deepEqual(adapt('many', ['pt', 'adapter', 'bitfit', 'finetune']), []);
  assert.deepEqual(adapt('many', ['attempt', 'spot']).length, 2, 'teachers, and the prompts that spot compares with');
  assert.deepEqual(adapt('many', ['attempt', 'spot'], { teachers: '.', spot: { source_task: 'cb' } }), []);
  const distill = (more: object): DistillConfig =>
    schemas.distill.parse({ out, experiment: 'few', variant: 'lng', source_tasks: ['cb', 'rte'], ...more });
  assert.match(said(t, () => sayTeachers(distill({}), {}))[0]!, /^warning: there are no teachers of variant "lng"/);
  assert.deepEqual(said(t, () => sayTeachers(distill({ teachers: '.' }), {})), []); // prettier-ignore
});
