// For the tests of this folder.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { buildGraph } from './graph.js';
import type { RunNode } from './node.js';
import { readRunFile, type RunFile, type RunOverrides } from './run-file.js';
import type { Existing } from './wire.js';

/** Nothing has been run before. */
export const NOTHING: Existing = { finishedIn: () => false, exists: () => false };

const BASES: Record<string, string> = {
  'teach.yaml': 'tasks: [sst2, cb]\ntrain: { max_steps: 10 }\n',
  'distill.yaml': 'source_tasks: [sst2, cb]\ntrain: { max_steps: 20 }\n',
  'adapt.yaml': 'tasks: [boolq]\nseeds: [1, 2]\ntrain: { max_steps: 30 }\n',
  'eval.yaml': 'tasks: [boolq]\nseeds: [1, 2]\nfew_shot: { shots: 16, train: { max_steps: 5 } }\n',
};

/** A folder with a small base config for each stage, removed when all tests of the file are done. */
export function baseFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-runner-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(BASES)) writeFileSync(join(folder, name), text);
  return folder;
}

/** Reads a run file of this text; `experiment: x` stands in front of it. */
export function runFileOf(folder: string, text: string, overrides: RunOverrides = {}): RunFile {
  const file = join(folder, 'run.yaml');
  writeFileSync(file, `experiment: x\n${text}`);
  return readRunFile(file, overrides);
}

export function graphOf(
  folder: string,
  text: string,
  options: { existing?: Existing; over?: RunOverrides } = {},
): RunNode[] {
  return buildGraph(runFileOf(folder, text, options.over), options.existing ?? NOTHING);
}

/** What a node needs, by its id. */
export function needsOf(nodes: readonly RunNode[]): Record<string, readonly string[]> {
  return Object.fromEntries(nodes.map(({ id, needs }) => [id, needs]));
}
