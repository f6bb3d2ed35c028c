// The run files that ship: they can be read, and those that share an experiment never ask for one run in two ways.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { configHash } from '../runs/compare-config.js';
import { runFolder } from '../runs/paths.js';
import { packageRoot } from '../util/paths.js';
import { expectedRuns } from './expected-runs.js';
import { NOTHING } from './fixtures.js';
import { buildGraph } from './graph.js';
import { readRunFile } from './run-file.js';

const shipped = ['configs/paper', 'configs/demo'].flatMap((folder) =>
  readdirSync(join(packageRoot(), folder))
    .filter((name) => name.endsWith('.yaml') && (folder === 'configs/paper' || name.startsWith('table')))
    .map((name) => join(packageRoot(), folder, name)),
);
const graphs = new Map(shipped.map((file) => [file, buildGraph(readRunFile(file), NOTHING)]));

test('every file is read, and reports on what it evaluates', () => {
  assert.ok(shipped.length >= 13);
  for (const file of shipped) {
    const { report } = readRunFile(file);
    const labels = new Set(
      graphs
        .get(file)!
        .flatMap(expectedRuns)
        .map(({ id }) => id.method),
    );
    assert.ok(report.title, file);
    assert.ok(report.published !== null, `${file}: says no published table, nor none`);
    for (const { method } of report.rows ?? [])
      assert.ok(labels.has(method), `${file}: nothing makes the row ${method}`);
  }
});

test('a run that several files ask for is the same run in all of them', () => {
  const seen = new Map<string, { hash: string; file: string }>();
  let shared = 0;
  for (const [file, nodes] of graphs) {
    for (const { id, config } of nodes.flatMap(expectedRuns)) {
      const folder = runFolder(config.out, id);
      const hash = configHash(config);
      const before = seen.get(folder);
      if (before === undefined) seen.set(folder, { hash, file });
      else {
        shared++;
        const names = [before.file, file].map((name) => relative(packageRoot(), name)).join(' and ');
        assert.equal(hash, before.hash, `${folder} differs between ${names}`);
      }
    }
  }
  assert.ok(shared > 300, `${shared} shared`);
});
