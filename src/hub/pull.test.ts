import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesNeeded } from '../data/splits.js';
import { findTask } from '../tasks/registry.js';
import type { FileTask } from '../tasks/types.js';
import { UserError } from '../util/errors.js';
import { datasetRepo, stageHub, type LocalHub, type LocalRepo } from '../../test/local-hub.js';
import { pull } from './pull.js';

const rows = (split: string): object[] =>
  Array.from({ length: 40 }, (_, i) => ({ text: `${split} ${i} `.repeat(9), label: i % 2 }));
const model: LocalRepo = {
  kind: 'model',
  id: 'owner/model',
  revisions: { main: { 'config.json': '{}', 'spiece.model': 'pieces', 'model.safetensors': 'w'.repeat(5000) } },
};

function repoOf(name: string): LocalRepo {
  const task = findTask(name) as FileTask;
  return datasetRepo(task, Object.fromEntries(Object.values(filesNeeded(task)).map((split) => [split, rows(split)])));
}

test('tasks, a group and a model; what fails does not keep the others; again fetches what was missing', async (t) => {
  const { hub, settings } = await stageHub(t, [repoOf('rte'), repoOf('mrpc'), model]);
  const told: string[] = [];
  const first = await pull(['rte', 'cola', 'owner/model', 'wordnet'], {
    settings,
    onDone: ({ name }, number, total) => told.push(`${number}/${total} ${name}`),
  });
  assert.equal(told.length, first.length);
  const [rte, cola, pulledModel, wordnet] = first;
  assert.deepEqual([rte!.from, rte!.files, rte!.received], ['nyu-mll/glue (rte)', 2, rte!.bytes]);
  assert.match(cola!.error!.message, /^cola needs nyu-mll\/glue \(cola\), train: .*has no config "cola"/);
  assert.deepEqual([pulledModel!.kind, pulledModel!.files, pulledModel!.bytes], ['model', 3, 5008]);
  assert.equal(pulledModel!.commits[0], hub.commit(model));
  assert.equal(wordnet!.note, 'comes with mpt');

  const again = await pull(['rte', 'owner/model'], { settings });
  assert.deepEqual(
    again.map(({ received }) => received),
    [0, 0],
  );
  assert.deepEqual(
    again.map(({ bytes }) => bytes),
    [rte!.bytes, 5008],
  );
});

test('names are checked before anything is fetched; a revision is for one repository', async (t) => {
  const { hub, settings } = await stageHub(t, [repoOf('rte'), repoOf('mrpc')]);
  await assert.rejects(pull(['rte', 'mprc'], { settings }), /Unknown task, group of tasks or model "mprc"/);
  await assert.rejects(pull(['t5-base'], { settings }), { hint: /Models of the hub are named owner\/name/ });
  await assert.rejects(pull([], { settings }), UserError);
  await assert.rejects(pull(['rte', 'boolq'], { settings, revision: 'v1' }), /one repository/);
  assert.equal(hub.requests.length, 0);
  const commit = hub.commit({ kind: 'dataset', id: 'nyu-mll/glue' });
  const pinned = await pull(['rte', 'mrpc'], { settings, revision: commit });
  assert.deepEqual(
    pinned.map(({ revision, commits }) => [revision, commits]),
    [
      [commit, [commit]],
      [commit, [commit]],
    ],
  );
});

test('when the hub is down, the first name waits and the others do not', async (t) => {
  const { hub, settings } = await stageHub(t, []);
  hub.faults.push({ at: '/', status: 503, times: 99 });
  const all = await pull(['rte', 'mrpc', 'owner/model'], { settings });
  assert.ok(all.every(({ error }) => error?.exit_code === 1));
  assert.equal(hub.requests.length, 7);
});

async function run(hub: LocalHub, home: string, args: string[], onError?: (text: string, kill: () => void) => void) {
  const script = `
    import { Command } from 'commander';
    import { pullCommand } from ${JSON.stringify(new URL('../commands/pull.js', import.meta.url).href)};
    try { await new Command().addCommand(pullCommand()).parseAsync(process.argv.slice(1), { from: 'user' }); }
    catch (error) { console.error(error.message); process.exitCode = error.exitCode ?? 1; }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', 'pull', ...args], {
    env: { ...process.env, ...hub.env(home) },
    cwd: join(import.meta.dirname ?? '.'),
  });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
    onError?.(errors, () => child.kill('SIGINT'));
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, errors };
}

test('the command: JSON, a list of what failed and exit code 2', async (t) => {
  const { hub, home } = await stageHub(t, [repoOf('rte'), model]);
  const { code, output, errors } = await run(hub, home, ['owner/model', 'owner/none', 'rte', '--json']);
  assert.equal(code, 2, errors);
  const { pulled } = JSON.parse(output) as { pulled: { name: string; error?: object }[] };
  assert.deepEqual(
    pulled.map(({ name, error }) => [name, error !== undefined]),
    [
      ['owner/model', false],
      ['owner/none', true],
      ['rte', false],
    ],
  );
  assert.match(errors, /1\/3 ✓ owner\/model: 3 files, 4\.9 KiB, 4\.9 KiB of it downloaded/);
  assert.match(errors, /2\/3 ✗ the model owner\/none is not there, or is private\n {4}Check how its name is written/);
  assert.match(errors, /1 of 3 could not be fetched: owner\/none/);
});

test('the command, stopped by Ctrl-C in the middle: exit code 130, and the same again goes on', async (t) => {
  const large = {
    ...model,
    revisions: { main: { ...model.revisions['main'], 'model.safetensors': 'w'.repeat(200_000) } },
  };
  const { hub, home } = await stageHub(t, [large, repoOf('rte')]);
  hub.faults.push({ at: '/storage/', times: 1 }); // the tokenizer passes
  hub.faults.push({ at: '/storage/', stall_after: 90_000 });
  let stopped = false;
  const stopping = run(hub, home, ['rte', 'owner/model'], (text, kill) => {
    if (text.includes('1/2') && !stopped) setImmediate(kill);
    stopped ||= text.includes('1/2');
  });
  const { code, errors } = await stopping;
  assert.equal(code, 130, errors);
  assert.match(errors, /stopped by SIGINT\n$/);
  hub.faults.length = 0;
  const again = await run(hub, home, ['rte', 'owner/model']);
  assert.equal(again.code, 0, again.errors);
  assert.match(again.errors, /1\/2 ✓ rte from nyu-mll\/glue \(rte\): 2 files, .*, all there already/);
  assert.match(again.output, /^5 files, .* downloaded, .* there already\n$/);
});
