import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { formatBanner, log } from './console.js';
import { startProgress } from './progress.js';

class Sink extends Writable {
  text = '';
  isTTY?: boolean;
  columns = 100;
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
  cursorTo(): void {}
  clearLine(): void {}
}

test('text: a line about every five seconds and one at the end, with time left', () => {
  const stream = new Sink();
  let time = 0;
  const progress = startProgress({ label: 'boolq seed 1', total: 1200, start: 200, stream, now: () => time });
  for (let step = 201; step <= 1200; step++) {
    time += 20;
    progress.update(step, { loss: '0.500' });
  }
  progress.stop();
  assert.deepEqual(stream.text.split('\n'), [
    'boolq seed 1  450/1,200 (37 %)  loss 0.500  5.0 s, 15.0 s left',
    'boolq seed 1  700/1,200 (58 %)  loss 0.500  10.0 s, 10.0 s left',
    'boolq seed 1  950/1,200 (79 %)  loss 0.500  15.0 s, 5.0 s left',
    'boolq seed 1  1,200/1,200 (100 %)  loss 0.500  20.0 s',
    '',
  ]);
});

test('none is silent; a bar without a terminal is text', () => {
  const stream = new Sink();
  const silent = startProgress({ label: 'x', total: 2, mode: 'none', stream });
  silent.update(2);
  silent.stop();
  assert.equal(stream.text, '');
  startProgress({ label: 'x', total: 2, mode: 'bar', stream }).stop();
  assert.match(stream.text, /^x {2}0\/2 \(0 %\)/);
});

test('a bar on a terminal: draws, steps aside for lines, leaves nothing running', () => {
  const stream = new Sink();
  stream.isTTY = true;
  const listeners = process.listenerCount('exit');
  const progress = startProgress({ label: 'x', total: 4, stream });
  progress.update(2, { loss: '1.0' });
  const before = stream.text.length;
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = () => true;
  try {
    log('a line between');
  } finally {
    process.stderr.write = write;
  }
  assert.ok(stream.text.slice(before).startsWith('\r\u001b[K'), 'cleared for the line');
  progress.update(4);
  progress.stop();
  assert.match(stream.text, /x .* 4\/4/);
  assert.equal(process.listenerCount('exit'), listeners);
});

test('a banner aligns names, and lines of a value', () => {
  assert.equal(
    formatBanner('mpt teach', [
      ['engine', 'node'],
      ['tasks', 'a\nb'],
      ['run', 'x'],
    ]),
    'mpt teach\n  engine  node\n  tasks   a\n          b\n  run     x',
  );
});
