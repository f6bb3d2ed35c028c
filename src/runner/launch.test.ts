import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { baseFolder, graphOf } from './fixtures.js';
import { launchNode, type Launcher } from './launch.js';
import { lastLines, logFile, startMpt, type Child, type ChildEnd } from './processes.js';
import type { NodeState, RunStateKind } from './state.js';

const folder = baseFolder();
const node = graphOf(folder, 'steps: [{ stage: teach, config: teach.yaml, tasks: [cb], seeds: [1, 2, 3] }]')[0]!;

function stateWith(...kinds: RunStateKind[]): NodeState {
  const run = { folder: '', step: 0, steps: null, reason: '', started: null, ended: null };
  return { node, runs: kinds.map((kind, i) => ({ ...run, kind, seed: i + 1 })) };
}

/** Children that end at once with the given codes; remembers their commands. */
function launch(
  states: NodeState[],
  codes: number[],
  more: Partial<Launcher> = {},
): { child: Child; commands: string[]; waits: () => number } {
  const commands: string[] = [];
  let waits = 0;
  const child = launchNode(node, {
    start: (args) => {
      commands.push(args.join(' '));
      return { ended: Promise.resolve({ code: codes.shift()!, signal: null }), stop: () => undefined };
    },
    state: () => (states.length > 1 ? states.shift()! : states[0]!),
    onWait: () => waits++,
    redoChanged: false,
    more: [],
    lookEvery: 1,
    ...more,
  });
  return { child, commands, waits: () => waits };
}

test('a node is one command', async () => {
  const { child, commands } = launch([stateWith('missing')], [0], { more: ['--threads', '2'] });
  assert.equal((await child.ended).code, 0);
  assert.equal(commands.length, 1);
  assert.match(commands[0]!, /^teach --config .*teach\.yaml --task cb --seed 1,2,3 .*--threads 2$/);
});

test('a folder that another process works in is waited for, and so is one that is taken at the last moment', async () => {
  const busy = stateWith('in use', 'missing', 'missing');
  const waited = launch([busy, busy, busy, stateWith('finished', 'missing', 'missing')], [0]);
  assert.equal((await waited.child.ended).code, 0);
  assert.deepEqual([waited.commands.length, waited.waits()], [1, 1]);

  const free = stateWith('missing');
  const taken = launch([free, free, busy, busy, free], [2, 0]);
  assert.equal((await taken.child.ended).code, 0);
  assert.equal(taken.commands.length, 2);
});

test('what failed for another reason is not tried again', async () => {
  const { child, commands } = launch([stateWith('missing')], [1]);
  assert.deepEqual([(await child.ended).code, commands.length], [1, 1]);
});

test('redoing what has another config or is damaged: only those seeds, then the command as it is', async () => {
  const { child, commands } = launch([stateWith('finished', 'changed', 'damaged')], [0, 0], { redoChanged: true });
  await child.ended;
  assert.match(commands[0]!, /--seed 2,3 .*--force$/);
  assert.match(commands[1]!, /--seed 1,2,3 /);
  assert.ok(!commands[1]!.includes('--force'));
});

test('stopped while it waits, it starts nothing', async () => {
  const { child, commands } = launch([stateWith('in use')], [], { lookEvery: 60_000 });
  child.stop('SIGINT');
  const end: ChildEnd = await child.ended;
  assert.notEqual(end.code, 0);
  assert.deepEqual(commands, []);
});

test('a process leaves its command and all that it says in its log', async () => {
  const log = logFile(folder, 'x', 'teach/pt/cb');
  assert.equal(log, join(folder, 'x', '.logs', 'teach-pt-cb.log'));
  const { code } = await startMpt(['teach', '--config', 'no such file'], { A: 'b c' }, log).ended;
  assert.equal(code, 2);
  assert.ok(existsSync(log));
  assert.match(readFileSync(log, 'utf8'), /^\S+Z \$ 'A=b c' mpt teach --config 'no such file'\n/);
  const lines = lastLines(log, 2);
  assert.match(lines.join('\n'), /There is no config file no such file/);

  writeFileSync(log, `${readFileSync(log, 'utf8')}2026-01-01T00:00:00.000Z $ mpt teach\n\nnew\n`);
  assert.deepEqual(lastLines(log, 5), ['new']); // not those of the attempt before
});
