import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fixture } from '../testing/reference.js';
import { TensorBoardLog } from './tensorboard.js';
import { encodeEvent, type EventBody } from './tensorboard-event.js';
import { crc32c, maskedCrc32c, tfRecord } from './tensorboard-record.js';

const root = mkdtempSync(join(tmpdir(), 'mpt-tensorboard-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(root, 'x-')), 'tensorboard');
});

test('crc32c: the examples of RFC 3720, and the check value of the polynomial', () => {
  const bytes = (make: (i: number) => number) => Uint8Array.from({ length: 32 }, (_, i) => make(i));
  assert.equal(crc32c(bytes(() => 0)), 0x8a9136aa);
  assert.equal(crc32c(bytes(() => 0xff)), 0x62a8ab43);
  assert.equal(crc32c(bytes((i) => i)), 0x46dd794e);
  assert.equal(crc32c(bytes((i) => 31 - i)), 0x113fdb5c);
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});

/** An event of the fixture; numbers are written as text there, since JSON has no NaN. */
interface FixtureEvent {
  wall_time: number;
  step: number;
  kind: EventBody['kind'];
  tag: string;
  text: string;
  values: Record<string, string>;
}

test('the same bytes as the Python package tensorboard writes for the same events', () => {
  const events = JSON.parse(readFileSync(fixture('tensorboard', 'events.json'), 'utf8')) as FixtureEvent[];
  const records = events.map(({ wall_time, step, kind, tag, text, values }) => {
    const numbers = Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, Number(value)]));
    const body: EventBody =
      kind === 'scalars' ? { kind, values: numbers } : kind === 'text' ? { kind, tag, text } : { kind };
    return tfRecord(encodeEvent({ wall_time, step, body }));
  });
  const expected = readFileSync(fixture('tensorboard', 'events.tfevents'));
  assert.equal(Buffer.concat(records).toString('hex'), expected.toString('hex'));
});

/** The events of all files in the folder, in the order TensorBoard reads them; a torn record ends a file. */
function eventsIn(path: string): Buffer[] {
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const bytes = readFileSync(join(path, name));
      const events: Buffer[] = [];
      for (let at = 0; at + 12 <= bytes.length;) {
        const end = at + 12 + Number(bytes.readBigUInt64LE(at));
        if (end + 4 > bytes.length) break;
        const data = bytes.subarray(at + 12, end);
        assert.equal(bytes.readUInt32LE(at + 8), maskedCrc32c(bytes.subarray(at, at + 8)), 'length');
        assert.equal(bytes.readUInt32LE(end), maskedCrc32c(data), 'data');
        events.push(data);
        at = end + 4;
      }
      return events;
    });
}

const encoded = (wall_time: number, step: number, body: EventBody) =>
  Buffer.from(encodeEvent({ wall_time, step, body }));

test('a new run: nothing before its first row; then version, start, config, and rows under their tags', () => {
  const log = new TensorBoardLog(folder, { step: 0, config: 'a: 1\nb:\n  - 2\n', now: () => 1500 });
  log.sync();
  assert.throws(() => readdirSync(folder), /ENOENT/);
  log.train({ step: 3, loss: 0.5, grad_norm: NaN, lr: 0.25, lr_task_vectors: 0.5, rss_mb: 12 });
  log.sync();
  log.validation({ step: 5, score: 50, f1: 25 });
  const expected = [
    encoded(1.5, 0, { kind: 'version' }),
    encoded(1.5, 0, { kind: 'start' }),
    encoded(1.5, 0, { kind: 'text', tag: 'config', text: '    a: 1\n    b:\n      - 2' }),
    encoded(1.5, 3, {
      kind: 'scalars',
      values: {
        'train/loss': 0.5,
        'train/grad_norm': NaN,
        'lr/learning_rate': 0.25,
        'lr/task_vectors': 0.5,
        'speed/rss_mb': 12,
      },
    }),
    encoded(1.5, 5, { kind: 'scalars', values: { 'validation/score': 50, 'validation/f1': 25 } }),
  ];
  assert.deepEqual(eventsIn(folder), expected); // before it is closed
  log.close();
});

test('going on: a later file, whatever the clock says, that starts behind the checkpoint and has no config again', () => {
  const first = new TensorBoardLog(folder, { step: 0, config: 'a: 1', now: () => 9_000_000 });
  for (const step of [1, 2, 3]) first.train({ step, loss: step });
  first.close();
  const [name] = readdirSync(folder);
  const bytes = readFileSync(join(folder, name!));
  writeFileSync(join(folder, name!), bytes.subarray(0, -3)); // torn by a crash
  writeFileSync(join(folder, 'notes.txt'), '');

  const second = new TensorBoardLog(folder, { step: 2, config: 'a: 1', now: () => 5_000_000 });
  second.train({ step: 3, loss: 30 });
  second.close();
  rmSync(join(folder, 'notes.txt'));
  assert.deepEqual(
    readdirSync(folder).map((file) => file.split('.')[3]),
    ['0000009000', '0000009001'],
  );
  assert.deepEqual(eventsIn(folder).slice(-4), [
    encoded(9000, 2, { kind: 'scalars', values: { 'train/loss': 2 } }),
    encoded(5000, 0, { kind: 'version' }),
    encoded(5000, 3, { kind: 'start' }),
    encoded(5000, 3, { kind: 'scalars', values: { 'train/loss': 30 } }),
  ]);
});

test('a run that begins again, or is watched from its middle on, has its config', () => {
  for (const step of [4, 0]) {
    const log = new TensorBoardLog(folder, { step, config: 'a: 1', now: () => 1000 });
    log.train({ step: step + 1, loss: 1 });
    log.close();
  }
  const config: EventBody = { kind: 'text', tag: 'config', text: '    a: 1' };
  const events = eventsIn(folder);
  assert.deepEqual(events[2], encoded(1, 4, config));
  assert.deepEqual(events.slice(5, 7), [encoded(1, 0, { kind: 'start' }), encoded(1, 0, config)]);
});

test('a file that cannot be made says so', () => {
  writeFileSync(join(folder, '..', 'file'), '');
  const log = new TensorBoardLog(join(folder, '..', 'file', 'tensorboard'), { step: 0, config: null });
  assert.throws(() => log.train({ step: 1, loss: 1 }), /Cannot write .*file\/tensorboard.*: a file stands/);
});
