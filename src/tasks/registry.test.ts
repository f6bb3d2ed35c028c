import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandTasks, taskGroups } from './groups.js';
import { allTasks, findTask, GROUP_NAMES, registerTasks } from './registry.js';
import { sampleRows } from '../../test/sample-rows.js';
import type { FileTask, Task } from './types.js';

const tasks = allTasks();
const fileTasks = tasks.filter((task): task is FileTask => task.kind === 'files');
const names = tasks.map(({ name }) => name);
const inGroup = (name: string): string[] => taskGroups().find((group) => group.name === name)!.tasks;

describe('registry', () => {
  it('has tasks that agree with themselves', () => {
    assert.equal(new Set(names).size, names.length);
    assert.equal(new Set(tasks.map(({ name_in_text }) => name_in_text)).size, tasks.length);
    for (const task of tasks) {
      assert.ok(task.metrics.includes(task.headline), task.name);
      assert.equal(new Set(task.metrics).size, task.metrics.length, task.name);
      assert.ok(task.sources.length > 0 && task.suites.length > 0 && task.roles.length > 0, task.name);
      assert.equal(new Set(task.labels).size, task.labels?.length ?? 0, task.name);
      if (task.labels !== undefined) assert.ok(task.max_target_length <= 16, task.name);
    }
  });

  it('names data on the hub, splits that the rule needs and their sizes', () => {
    for (const { name, hub, split_rule, splits, official_rows, max_train_examples } of fileTasks) {
      assert.match(hub?.id ?? '', /^[\w-]+\/[\w-]+$/, name);
      const needed = {
        small: ['train', 'validation'],
        large: ['train', 'test'],
        official: ['train', 'validation', 'test'],
      };
      assert.deepEqual(Object.keys(splits), needed[split_rule], name);
      // The size of HotpotQA's validation set is told in two ways.
      const known = Object.values(splits).filter((split) => name !== 'hotpotqa' || split === 'train');
      assert.deepEqual(Object.keys(official_rows ?? {}).sort(), [...new Set(known)].sort(), name);
      assert.equal(max_train_examples, name.startsWith('yelp') ? 100_000 : undefined, name);
    }
  });

  it('counts the rows of tasks.yaml after the split', () => {
    // train, validation, test: what the facts about ATTEMPT's code give; NewsQA to WebNLG by the same rules
    const expected: Record<string, [number, number, number]> = {
      mnli: [392702, 9832, 9815],
      qnli: [103743, 1000, 5463],
      qqp: [362846, 1000, 40430],
      sst2: [66349, 1000, 872],
      squad: [86599, 1000, 10570],
      record: [99730, 1000, 10000],
      multirc: [27243, 2424, 2424],
      boolq: [9427, 1635, 1635],
      wic: [5428, 319, 319],
      wsc: [554, 52, 52],
      cb: [250, 28, 28],
      rte: [2490, 138, 139],
      cola: [8551, 521, 522],
      stsb: [5749, 750, 750],
      mrpc: [3668, 204, 204],
      nq: [103071, 1000, 12836],
      newsqa: [73160, 1000, 4212],
      searchqa: [116384, 1000, 16980],
      winogrande: [39398, 1000, 1267],
      yelp_polarity: [100000, 1000, 38000],
      scitail: [23596, 652, 652],
      paws: [49401, 8000, 8000],
      ag_news: [119000, 1000, 7600],
      commonsense_qa: [9741, 610, 611],
      openbookqa: [4957, 500, 500],
      arc_easy: [2251, 570, 2376],
      anli: [99459, 1000, 1200],
      e2e: [42061, 4672, 4693],
      webnlg: [35426, 1667, 1779],
    };
    for (const [name, counts] of Object.entries(expected)) {
      const task = findTask(name) as FileTask;
      const rows = (split: string | undefined): number => task.official_rows![split!]!;
      const { train, validation, test } = task.splits;
      const half = Math.floor(rows(validation) / 2);
      const cut = {
        small: () => [rows(train), half, rows(validation) - half],
        large: () => [Math.min(rows(train) - 1000, task.max_train_examples ?? Infinity), 1000, rows(test)],
        official: () => [rows(train), rows(validation), rows(test)],
      };
      assert.deepEqual(cut[task.split_rule](), counts, name);
    }
    const untold = ['hotpotqa', 'arc_challenge', 'copa', 'superglue_rte', 'yelp_review_full', 'e2e_cleaned'];
    assert.deepEqual(fileTasks.map(({ name }) => name).sort(), [...Object.keys(expected), ...untold].sort());
  });

  it('suggests names', () => {
    assert.throws(() => findTask('winogrand'), { name: 'UserError', hint: 'Did you mean "winogrande"?' });
    assert.throws(() => findTask('glue'), { name: 'UserError', message: /"glue" is a group of tasks/ });
  });

  it('registers a task again from its own file, never over another', () => {
    const task = (name: string, file: string): FileTask => ({
      ...(findTask('cb') as FileTask),
      name,
      suites: ['user'],
      defined_in: { file, sha256: '0' },
    });
    registerTasks([task('my_cb', '/a/my_cb.yaml')]);
    registerTasks([{ ...task('my_cb', '/a/my_cb.yaml'), version: 7 }]);
    assert.equal(findTask('my_cb').version, 7);
    assert.equal(allTasks().filter(({ name }) => name === 'my_cb').length, 1);
    assert.throws(() => registerTasks([task('my_cb', '/b/my_cb.yaml')]), { message: /\/a\/my_cb.yaml has that name/ });
    assert.throws(() => registerTasks([task('cb', '/a/cb.yaml')]), { message: /a task of that name ships with mpt/ });
    assert.throws(() => registerTasks([task('mrqa', '/a/m.yaml')]), { message: /the name of a group of tasks/ });
  });
});

describe('groups', () => {
  it('are those of the paper', () => {
    assert.deepEqual(inGroup('sources').toSorted(), ['mnli', 'qnli', 'qqp', 'record', 'squad', 'sst2']);
    const extra = ['ag_news', 'anli', 'arc_easy', 'commonsense_qa', 'openbookqa', 'winogrande'];
    assert.deepEqual(inGroup('extra_sources').toSorted(), extra);
    // Columns of the paper's tables 1 and 2
    assert.deepEqual(inGroup('glue'), ['mnli', 'qqp', 'qnli', 'sst2', 'stsb', 'mrpc', 'rte', 'cola']);
    assert.deepEqual(inGroup('superglue'), ['multirc', 'boolq', 'wic', 'wsc', 'cb']);
    assert.deepEqual(inGroup('mrqa'), ['nq', 'hotpotqa', 'searchqa', 'newsqa']);
    assert.deepEqual(inGroup('others'), ['winogrande', 'yelp_polarity', 'scitail', 'paws']);
    assert.deepEqual(inGroup('generation'), ['e2e', 'webnlg']);
    const targets = [...inGroup('glue'), ...inGroup('superglue'), ...inGroup('mrqa'), ...inGroup('others')];
    assert.deepEqual(inGroup('targets'), targets);
    assert.equal(targets.length, 21);
    assert.deepEqual(
      targets.filter((name) => inGroup('sources').includes(name)),
      ['mnli', 'qqp', 'qnli', 'sst2'],
    );
    assert.deepEqual(inGroup('paper'), [
      ...new Set([...inGroup('sources'), ...inGroup('extra_sources'), ...targets, ...inGroup('generation')]),
    ]);
    assert.equal(inGroup('paper').length, 30);
  });

  it('hold every task, agree with its roles and never have its name', () => {
    const role = (task: Task): string[] => [
      ...(task.suites.some((suite) => ['sources', 'extra_sources'].includes(suite)) ? ['source'] : []),
      ...(inGroup('targets').includes(task.name) || task.suites.includes('generation') ? ['target'] : []),
    ];
    for (const task of fileTasks.filter(({ suites }) => !suites.includes('beyond_paper') && !suites.includes('user'))) {
      assert.deepEqual(task.roles, role(task), task.name);
    }
    for (const group of taskGroups()) {
      assert.ok(!names.includes(group.name), group.name);
      assert.ok(group.tasks.length > 0 || group.name === 'user', group.name);
    }
    assert.deepEqual(
      taskGroups().map(({ name }) => name),
      [...GROUP_NAMES],
    );
    const grouped = new Set(taskGroups().flatMap((group) => group.tasks));
    for (const name of names) assert.ok(grouped.has(name), name);
  });

  it('expand in the order given, each task once', () => {
    assert.deepEqual(expandTasks(['wic', 'superglue', 'e2e', 'wic']), ['wic', 'multirc', 'boolq', 'wsc', 'cb', 'e2e']);
    assert.deepEqual(expandTasks([]), []);
    assert.throws(() => expandTasks(['mnli', 'superglu']), {
      message: 'Unknown task or group of tasks "superglu".',
      hint: 'Did you mean "superglue"?',
    });
    assert.throws(() => expandTasks(['hotpotq']), { hint: 'Did you mean "hotpotqa"?' });
  });
});

describe('sample rows', () => {
  it('fit every task and both families, and hold every label in every split', () => {
    for (const task of fileTasks.filter(({ defined_in }) => defined_in === undefined)) {
      const splits = sampleRows(task);
      assert.deepEqual(Object.keys(splits), Object.values(task.splits), task.name);
      const inputs: string[] = [];
      for (const [split, rows] of Object.entries(splits)) {
        assert.ok(rows.length >= 6);
        const parsed = rows.map((row) => task.schema.parse(row)).flatMap((row) => task.expand?.(row) ?? [row]);
        for (const template of ['attempt', 't5'] as const) {
          const examples = parsed.map((row) => task.render(row, { template, task_prefix: true }));
          for (const { input, target } of examples) assert.ok(input.length > 0 && target.trim().length > 0, task.name);
          const targets = new Set(examples.map(({ target }) => target));
          const labels = task.labels?.map((word, id) => (template === 'attempt' ? String(id) : word));
          if (labels !== undefined) assert.deepEqual([...targets].sort(), labels.sort(), `${task.name} ${split}`);
          if (template === 'attempt') inputs.push(...new Set(examples.map(({ input }) => input)));
        }
      }
      assert.equal(new Set(inputs).size, inputs.length, `${task.name}: a text in two splits`);
    }
    const e2e = findTask('e2e') as FileTask;
    const keys = sampleRows(e2e)['test']!.map((row) => e2e.merge_key!(row));
    assert.ok(new Set(keys).size < keys.length);
  });
});
