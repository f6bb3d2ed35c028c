import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { CsvLog, readCsv } from './csv.js';

const root = mkdtempSync(join(tmpdir(), 'mpt-csv-'));
after(() => rmSync(root, { recursive: true, force: true }));
let file = '';
beforeEach(() => {
  file = join(mkdtempSync(join(root, 'x-')), 'sub', 'train.csv');
});
const COLUMNS = ['step', 'loss', 'note'];

test('header once, a row per call, readable at once; missing values stay empty', () => {
  const csv = new CsvLog(file, COLUMNS);
  csv.append({ step: 1, loss: 0.5 });
  csv.append({ step: 2, loss: NaN, note: 'a "b", c' });
  assert.equal(readFileSync(file, 'utf8'), 'step,loss,note\n1,0.5,\n2,NaN,"a ""b"", c"\n');
  csv.close();
  const again = new CsvLog(file, COLUMNS);
  again.append({ step: 3, loss: 1e-9 });
  again.sync();
  assert.deepEqual(
    again.rows().map((row) => row['loss']),
    ['0.5', 'NaN', '1e-9'],
  );
  assert.throws(() => again.append({ step: 4, los: 1 }), /no column "los"/);
  again.close();
});

test('other columns are refused, a torn header is written anew', () => {
  new CsvLog(file, COLUMNS).close();
  assert.throws(() => new CsvLog(file, ['step', 'loss']), /has other columns .*step,loss,note instead of step,loss/);
  writeFileSync(file, 'step,lo');
  new CsvLog(file, COLUMNS).close();
  assert.equal(readFileSync(file, 'utf8'), 'step,loss,note\n');
});

test('going back to a checkpoint: later rows and torn lines go, no step comes twice', () => {
  const csv = new CsvLog(file, COLUMNS);
  for (const step of [10, 20, 30, 40]) csv.append({ step, loss: step });
  csv.close();
  appendFileSync(file, '50,0.1'); // torn: would be read as a loss of 0.1, or worse, 50,0.12
  const resumed = new CsvLog(file, COLUMNS);
  resumed.truncateAfter(20);
  resumed.append({ step: 30, loss: 3 });
  assert.deepEqual(
    resumed.rows().map((row) => [row['step'], row['loss']]),
    [
      ['10', '10'],
      ['20', '20'],
      ['30', '3'],
    ],
  );
  resumed.truncateAfter(0);
  assert.equal(readFileSync(file, 'utf8'), 'step,loss,note\n');
  resumed.close();
});

test('a line of zeros, as a power cut leaves it, is dropped on going back', () => {
  new CsvLog(file, COLUMNS).append({ step: 1, loss: 1 });
  appendFileSync(file, `${'\0'.repeat(20)}\n`);
  const csv = new CsvLog(file, COLUMNS);
  csv.truncateAfter(5);
  assert.deepEqual(
    csv.rows().map((row) => row['step']),
    ['1'],
  );
  csv.close();
});

test('any values come back, line breaks as spaces', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ loss: fc.double(), note: fc.string({ unit: 'grapheme' }) }), { maxLength: 5 }),
      fc.nat(6),
      (rows, cut) => {
        rmSync(file, { force: true });
        const csv = new CsvLog(file, COLUMNS);
        rows.forEach((row, i) => csv.append({ step: i + 1, ...row }));
        csv.truncateAfter(cut);
        const expected = rows.slice(0, cut).map(({ loss, note }, i) => ({
          step: String(i + 1),
          loss: String(loss),
          note: note.replace(/\s*[\r\n]+\s*/g, ' '),
        }));
        assert.deepEqual(readCsv(file), expected);
        csv.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('kill -9 while rows are written: all whole rows are there, in order', async () => {
  const script = `import { CsvLog } from ${JSON.stringify(new URL('./csv.js', import.meta.url).href)};
    const csv = new CsvLog(${JSON.stringify(file)}, ${JSON.stringify(COLUMNS)});
    for (let step = 1; ; step++) { csv.append({ step, loss: 1 / step }); if (step === 50) process.stdout.write('50'); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const csv = new CsvLog(file, COLUMNS);
  csv.truncateAfter(50);
  csv.append({ step: 51 });
  assert.deepEqual(
    csv.rows().map((row) => Number(row['step'])),
    Array.from({ length: 51 }, (_, i) => i + 1),
  );
  csv.close();
});
