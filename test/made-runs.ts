// Run folders as runs leave them, written by hand: for tests of what reads them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { acquireLock } from '../src/runs/lock.js';
import type { EvaluationResults } from '../src/runs/evaluation-results.js';
import { runFolder, type RunId } from '../src/runs/paths.js';
import type { RunRecord } from '../src/runs/record.js';
import { inspectRun, type RunListing } from '../src/runs/status.js';

export interface MadeRun extends Partial<Omit<RunRecord, 'run' | 'format' | 'status'>> {
  /** "killed": says running, and no process holds its lock. "damaged": its run.json is cut off. */
  status?: RunRecord['status'] | 'killed' | 'damaged';
  /** Content of config.yaml; `model: bundled` by default. */
  config?: Record<string, unknown>;
  /** Further files by name: train.csv, eval.csv … */
  files?: Record<string, string>;
}

type PartialId = Pick<RunId, 'stage' | 'method' | 'task'> & Partial<RunId>;

/** Writes one run folder. Experiment "made" and seed 1 where nothing else is said. A running run is this process's. */
export function makeRun(out: string, partial: PartialId, made: MadeRun = {}): RunListing {
  const run: RunId = { experiment: 'made', seed: 1, ...partial };
  const folder = runFolder(out, run);
  const { status = 'finished', config = {}, files = {}, ...rest } = made;
  const record: RunRecord = {
    format: 1,
    run,
    status: status === 'killed' || status === 'damaged' ? 'running' : status,
    config_hash: 'made',
    step: null,
    total_steps: null,
    parameters: null,
    results: {},
    timings: {
      started: '2026-01-02T03:04:05.000Z',
      updated: '2026-01-02T03:05:05.000Z',
      ended: status === 'finished' ? '2026-01-02T03:05:05.000Z' : null,
      seconds: 60,
      attempts: 1,
    },
    versions: { mpt: '0.1.0', node: '20.0.0', tfjs: '4.22.0' },
    engine: { name: 'node', device: 'CPU', threads: 2, reason: 'made' },
    fleet: null,
    host: { name: 'host', platform: 'linux x64', cpus: '2 × CPU', memory_gib: 8 },
    git: null,
    error: null,
    ...rest,
  };
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify(record, null, 2);
  writeFileSync(join(folder, 'run.json'), status === 'damaged' ? text.slice(0, 100) : text);
  writeFileSync(join(folder, 'config.yaml'), stringify({ model: 'bundled', ...config }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  if (status === 'running') acquireLock(folder);
  return inspectRun(folder)!;
}

export interface MadeScores extends MadeRun {
  /** Few-shot examples; full data by default. */
  shots?: number;
  headline?: string;
  trainable?: number;
  majority?: number | null;
  split?: string;
  /** One by one, or by metric: `{ bleu: [30, 32], nist: [5, 5.2] }`; each a draw where there are shots. */
  scores: readonly number[] | Readonly<Record<string, readonly number[]>>;
}

/** Writes the folder of an evaluation (stage eval, or few-shot-<k>) with its scores. */
export function makeScores(out: string, partial: Omit<PartialId, 'stage'>, made: MadeScores): RunListing {
  const {
    shots = null,
    headline = 'accuracy',
    trainable = 4052,
    majority = null,
    split = 'test',
    scores,
    ...rest
  } = made;
  const byMetric: Readonly<Record<string, readonly number[]>> =
    scores instanceof Array ? { [headline]: scores } : (scores as Readonly<Record<string, readonly number[]>>);
  const seed = partial.seed ?? 1;
  const results: EvaluationResults = {
    split,
    examples: 100,
    shots,
    headline,
    trainable_parameters: trainable,
    majority,
    scores: byMetric[headline]!.map((_, i) => ({
      seed,
      draw: shots === null ? null : (partial.draw ?? i),
      metrics: Object.fromEntries(Object.entries(byMetric).map(([metric, values]) => [metric, values[i]!])),
    })),
  };
  const stage = shots === null ? 'eval' : `few-shot-${shots}`;
  return makeRun(out, { ...partial, stage }, { ...rest, results: { ...results, ...rest.results } });
}
