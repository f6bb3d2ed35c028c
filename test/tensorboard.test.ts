// `logging.tensorboard: true`: the rows of the CSVs as event files, and nothing else that is different.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { availableEngines } from '../src/engines/test-engines.js';
import { readCsv } from '../src/logging/csv.js';
import { encodeEvent, type EventBody } from '../src/logging/tensorboard-event.js';
import { maskedCrc32c } from '../src/logging/tensorboard-record.js';
import { assertSameRun } from './folders.js';
import { mptDone, startMpt, temporaryFolder } from './mpt.js';
import { writeTinyLine } from './tiny-line.js';
import { interrupt } from './watch-run.js';

const home = temporaryFolder();
const STEPS = 60; // checkpoints every 4, log rows every 3, validations every 5
const ADAPT = ['adapt', '-c', 'adapt.yaml', '--method', 'pt', '--seed', '1', '--set', `train.max_steps=${STEPS}`];
const ON = ['--set', 'logging.tensorboard=true'];
const runIn = (out: string): string => join(home, out, 'tiny', 'adapt', 'pt', 'boolq', 'seed-1');

before(async () => {
  const [engine] = await availableEngines();
  await writeTinyLine(home, engine!);
  await mptDone(home, [...ADAPT, '--out', 'plain']);
});

interface ReadEvent {
  step: number;
  /** The event's bytes but for those that say when. */
  content: string;
}

/** A number of seven bits a byte, the lowest first. */
function varint(bytes: Buffer, at: number): number {
  let [value, scale] = [0, 1];
  for (; ; at++, scale *= 128) {
    value += (bytes[at]! & 127) * scale;
    if (bytes[at]! < 128) return value;
  }
}

/** The events of each file, in the order that TensorBoard reads them; a file may end in half of one. */
function eventFiles(run: string): ReadEvent[][] {
  const folder = join(run, 'tensorboard');
  const names = readdirSync(folder).sort();
  for (const name of names) assert.match(name, /^events\.out\.tfevents\.\d{10}\.[^/]+\.\d+$/);
  return names.map((name) => {
    const bytes = readFileSync(join(folder, name));
    const events: ReadEvent[] = [];
    for (let at = 0; at + 12 <= bytes.length;) {
      const end = at + 12 + Number(bytes.readBigUInt64LE(at));
      if (end + 4 > bytes.length) break;
      const data = bytes.subarray(at + 12, end);
      assert.equal(bytes.readUInt32LE(end), maskedCrc32c(data));
      const now = data.readDoubleLE(1); // behind its key: field 1, 64 bits
      assert.ok(data[0] === 9 && Math.abs(now - Date.now() / 1000) < 3600);
      const step = data[9] === 16 ? varint(data, 10) : 0; // key of field 2; left out for 0
      events.push({ step, content: data.subarray(9).toString('latin1') });
      at = end + 4;
    }
    return events;
  });
}

function event(step: number, body: EventBody): ReadEvent {
  return { step, content: Buffer.from(encodeEvent({ wall_time: 0, step, body })).toString('latin1') };
}

/** What the rows of a CSV should be, by step. */
function scalars(run: string, name: 'train' | 'eval', tagOf: (column: string) => string): ReadEvent[] {
  return readCsv(join(run, `${name}.csv`)).map(({ step, best: _, ...columns }) => {
    const values = Object.entries(columns).map(([column, value]) => [tagOf(column), Number(value)]);
    return event(Number(step), { kind: 'scalars', values: Object.fromEntries(values) as Record<string, number> });
  });
}

const TAGS: Record<string, string> = {
  ...{ loss: 'train/loss', loss_ce: 'train/loss_ce', grad_norm: 'train/grad_norm', lr: 'lr/learning_rate' },
  ...{ examples_per_s: 'speed/examples_per_s', tokens_per_s: 'speed/tokens_per_s' },
  ...{ num_tensors: 'speed/num_tensors', rss_mb: 'speed/rss_mb' },
};

/** The rows of both CSVs in the order that they were written. */
function expectedRows(run: string): ReadEvent[] {
  const train = scalars(run, 'train', (column) => TAGS[column] ?? `no tag for ${column}`);
  const validation = scalars(run, 'eval', (column) => `validation/${column}`);
  return [...train, ...validation].sort((a, b) => a.step - b.step); // a step is logged before it is validated
}

test('off, nothing is written; on, every row of the CSVs and the config, and the run has the same bits', async () => {
  assert.ok(!existsSync(join(runIn('plain'), 'tensorboard')));
  await mptDone(home, [...ADAPT, ...ON, '--out', 'watched']);
  const run = runIn('watched');
  assertSameRun(run, runIn('plain'));
  const [events, ...others] = eventFiles(run);
  assert.equal(others.length, 0);
  const yaml = readFileSync(join(run, 'config.yaml'), 'utf8').trimEnd();
  const config = yaml.replaceAll(/^/gm, '    ');
  assert.match(config, /tensorboard: true/);
  assert.deepEqual(events, [
    event(0, { kind: 'version' }),
    event(0, { kind: 'start' }),
    event(0, { kind: 'text', tag: 'config', text: config }),
    ...expectedRows(run),
  ]);
});

test('killed and gone on: a second file says from where on, and with it every row is there once', async () => {
  const args = [...ADAPT, ...ON, '--out', 'killed'];
  const run = runIn('killed');
  await interrupt(startMpt(home, args), run, { step: 20, rows: 1 }, 'SIGKILL');
  await mptDone(home, args);
  assertSameRun(run, runIn('plain'));
  const [before, after, ...others] = eventFiles(run);
  assert.equal(others.length, 0);
  const [version, start, ...rows] = after!;
  assert.deepEqual(version, event(0, { kind: 'version' }));
  assert.deepEqual(start, event(start!.step, { kind: 'start' }));
  assert.equal((start!.step - 1) % 4, 0, 'it goes on behind a checkpoint');
  const kept = before!.slice(3).filter(({ step }) => step < start!.step); // TensorBoard forgets this step and later ones
  assert.deepEqual([...kept, ...rows], expectedRows(run));
});
