import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatDuration, formatPercent, plural } from './format.js';

test('bytes, times, counts and shares as people read them', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 1048575, 220 * 2 ** 20, 2 ** 50].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '220 MiB',
    '1024 TiB',
  ]);
  assert.deepEqual([0, 85, 999.6, 4200, 59_960, 185_000, 3_599_600, 7_620_000].map(formatDuration), [
    '0 ms',
    '85 ms',
    '1.0 s',
    '4.2 s',
    '1 min 00 s',
    '3 min 05 s',
    '1 h 00 min',
    '2 h 07 min',
  ]);
  assert.deepEqual([0, 999, 1000, 222903552].map(formatCount), ['0', '999', '1,000', '222,903,552']);
  assert.deepEqual([0, 0.000344567, 0.0123, 0.125, 1].map(formatPercent), ['0 %', '0.034 %', '1.2 %', '13 %', '100 %']);
  assert.deepEqual(
    [plural(1, 'task'), plural(2, 'task'), plural(0, 'entry', 'entries')],
    ['1 task', '2 tasks', '0 entries'],
  );
});
