import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { UserError } from '../util/errors.js';
import { formOfFile, type Form } from './report-form.js';

function refused(output: string, format: Form | undefined, said: RegExp): void {
  assert.throws(
    () => formOfFile(output, format),
    (error) => error instanceof UserError && error.exitCode === 2 && said.test(`${error.message}\n${error.hint}`),
  );
}

test('the ending says the form where --format does not', () => {
  const endings = ['a.html', 'a.HTM', 'a.md', 'a.markdown', 'a.csv', 'x/a.b.tex', 'a.txt'];
  const forms = ['html', 'html', 'markdown', 'markdown', 'csv', 'latex', 'terminal'];
  assert.deepEqual(
    endings.map((output) => formOfFile(output, undefined)),
    forms,
  );
});

test('--format agrees with the ending, or the ending says nothing', () => {
  assert.equal(formOfFile('a.md', 'markdown'), 'markdown');
  assert.equal(formOfFile('a.txt', 'csv'), 'csv');
  assert.equal(formOfFile('a.out', 'latex'), 'latex');
  assert.equal(formOfFile('table', 'latex'), 'latex');
});

test('a contradiction, an unknown ending and a folder are refused with what would be right', () => {
  refused(
    'x/a.md',
    'csv',
    /--format csv and --output x\/a\.md contradict .*\.md means markdown.*\n.*x\/a\.csv, or --format markdown/,
  );
  refused('a.txt', 'html', /\.txt means terminal.*\n.*--output a\.html/);
  refused('a.pdf', undefined, /ending of --output a\.pdf .*\n.*\.txt \(terminal\), \.md \(markdown\), \.csv \(csv\)/);
  refused('table', undefined, /ending of --output table/);
  refused(tmpdir(), 'csv', /it is a folder\.\n.*report\.csv/);
  refused('new/', undefined, /new\/: it is a folder\.\n.*new\/report\.html/);
});
