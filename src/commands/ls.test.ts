import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { allTasks } from '../tasks/registry.js';
import { UserError } from '../util/errors.js';
import { lsTasks, lsTasksText, type LsTasksOptions, type TaskList, type TaskReport } from './ls.js';

const OPTIONS: LsTasksOptions = {
  counts: false,
  data_dir: null,
  template: 'attempt',
  task_prefix: true,
  model: 'bundled',
  split: 'train',
  show_examples: null,
};

/** What is printed; no line is wider than 100 columns. */
async function text(name: string | undefined, options: Partial<LsTasksOptions> = {}): Promise<string> {
  const shown = lsTasksText(await lsTasks(name, { ...OPTIONS, ...options }), { color: false });
  for (const line of shown.split('\n')) assert.ok([...line].length <= 100 || !/ /.test(line.trim()), line);
  return shown;
}
const list = async (name?: string): Promise<TaskList> => (await lsTasks(name, OPTIONS)) as TaskList;
const report = async (name: string, options: Partial<LsTasksOptions> = {}): Promise<TaskReport> =>
  (await lsTasks(name, { ...OPTIONS, ...options })) as TaskReport;

describe('mpt ls tasks', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mpt-ls-'));
    mkdirSync(join(folder, 'cb'));
    const row = (i: number): string =>
      JSON.stringify({ premise: `It was ${'very '.repeat(i * 40)}late.`, hypothesis: `No ${i}.`, label: i % 3 });
    const lines = (n: number): string => Array.from({ length: n }, (_, i) => `${row(i)}\n`).join('');
    writeFileSync(join(folder, 'cb', 'train.jsonl'), lines(9));
    writeFileSync(join(folder, 'cb', 'validation.jsonl'), lines(4));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('lists all tasks, and the groups at the end', async () => {
    const shown = await text(undefined);
    for (const { name } of allTasks()) assert.match(shown, new RegExp(`^${name} `, 'm'));
    assert.match(shown, /Groups: [^]*\n {2}wordnet +wn_category, /);
    const { tasks, groups } = await list();
    assert.deepEqual(
      tasks.map(({ name }) => name),
      allTasks().map(({ name }) => name),
    );
    assert.ok(groups.some(({ name, tasks: members }) => name === 'superglue' && members.includes('boolq')));
    assert.ok(groups.every(({ tasks: members }) => members.length > 0));
  });

  it('lists the tasks of a group', async () => {
    const { tasks, groups } = await list('superglue');
    assert.deepEqual([groups.length, groups[0]!.tasks], [1, tasks.map(({ name }) => name)]);
    assert.match(await text('superglue'), /^boolq +superglue +target +accuracy +9,427 +1,635 +1,635 +2: False, True$/m);
  });

  it('tells everything about a task', async () => {
    const facts = await report('wn_living');
    assert.equal(facts.name, 'wn_living');
    assert.ok(facts.rows!.train > 1000);
    assert.match(await text('cb'), /0 = entailment, 1 = contradiction, 2 = neutral/);
  });

  it('shows rendered examples of WordNet tasks with their tokens', async () => {
    const shown = (await report('wn_living', { show_examples: 3, split: 'test' })).shown!;
    assert.equal(shown.examples.length, 3);
    for (const { id, input, source_tokens } of shown.examples) {
      assert.match(id, /^test\//);
      assert.equal(source_tokens.seen, input);
      assert.ok(source_tokens.tokens > 3 && source_tokens.tokens === source_tokens.kept);
    }
  });

  it('shows examples of files: what is cut, the other template, other splits', async () => {
    const options = { data_dir: folder, show_examples: 9 };
    const shown = (await report('cb', options)).shown!;
    assert.equal(shown.examples.length, 9);
    const long = shown.examples.find(({ id }) => id === 'train/8')!;
    assert.equal(long.label, 'neutral');
    assert.equal(long.source_tokens.kept, 256);
    assert.ok(long.source_tokens.tokens > 256);
    assert.match(long.source_tokens.cut, /hypothesis: No 8\.$/);
    assert.equal(`${long.source_tokens.seen} ${long.source_tokens.cut}`, long.input);

    const other = await text('cb', {
      data_dir: folder,
      show_examples: 2,
      split: 'test',
      template: 't5',
      task_prefix: false,
    });
    assert.match(other, /2 examples of test, template t5/);
    assert.match(other, /target +(entailment|contradiction|neutral)\n/);
    assert.match(await text('cb', { data_dir: folder, show_examples: 9 }), /⟦cut, \d+ tokens: /);
  });

  it('says what is wrong', async () => {
    const thrown = (name: string | undefined, options: Partial<LsTasksOptions> = {}) =>
      lsTasks(name, { ...OPTIONS, ...options }).then(
        () => assert.fail('no error'),
        (error: unknown) => {
          assert.ok(error instanceof UserError, String(error));
          return `${error.message} ${error.hint}`;
        },
      );
    assert.match(await thrown('bolq'), /"bolq".*boolq/);
    assert.match(await thrown('superglu'), /superglue/);
    assert.match(await thrown(undefined, { show_examples: 2 }), /needs the name of one task.*mpt ls tasks wn_/);
    assert.match(await thrown('glue', { show_examples: 2 }), /mpt ls tasks mnli --show-examples 2/);
    assert.match(await thrown('cb', { show_examples: 1, data_dir: join(folder, 'none') }), /cb.*train\.jsonl/);
    assert.match(await thrown('cb', { show_examples: 1, model: join(folder, 'cb'), data_dir: folder }), /tokenizer/);
  });
});
