import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCheckpoint, type LoadedCheckpoint } from '../src/checkpoints/manager.js';
import { schemas, type OptimSection, type TrainSection } from '../src/config/schema.js';
import { readCsv } from '../src/logging/csv.js';
import type { OpenModel } from '../src/model/open.js';
import { prepareTask, type PreparedTask } from '../src/recipes/prepare.js';
import type { Run } from '../src/runs/run-folder.js';
import type { RunSpec } from '../src/train/run-spec.js';
import { trainFleet, trainSession, type FleetRun, type SessionResult } from '../src/train/fleet.js';
import type { End } from '../src/train/loop.js';
import { finalCheckpointFolder, type SessionFacts } from '../src/train/session.js';
import { writeTinyData } from './tiny-data.js';

/** Sections as the config's schema completes them. */
export function sections(
  train: Record<string, unknown>,
  optim: Record<string, unknown> = {},
): { train: TrainSection; optim: OptimSection } {
  const config = schemas.adapt.parse({ tasks: ['boolq'], train, optim: { warmup_steps: 0, ...optim } });
  return { train: config.train, optim: config.optim };
}

/** A task of the tiny data, tokenised for `open`. */
export async function tinyTask(
  name: string,
  open: OpenModel,
  options: Record<string, unknown> = {},
): Promise<PreparedTask> {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-data-'));
  try {
    const { data } = schemas.adapt.parse({
      tasks: [name],
      data: { data_dir: writeTinyData(folder), max_source_length: 24, max_target_length: 3, ...options },
    });
    return await prepareTask(name, data, open.tokenizer, 'none');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface Trained {
  result: SessionResult;
  /** The last checkpoint, or the best where there was validation. */
  checkpoint: LoadedCheckpoint;
  train: Record<string, string>[];
}

/** An open run as far as training is concerned. */
function runIn(folder: string): Run {
  const run = { folder, path: (...names: string[]) => join(folder, ...names), update: () => undefined };
  return run as unknown as Run;
}

/** Trains a run in a folder of its own that is gone afterwards. */
export async function trained(spec: RunSpec): Promise<Trained> {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-session-'));
  try {
    const result = await trainSession(runIn(folder), spec, 'none');
    const checkpoint = loadCheckpoint(finalCheckpointFolder(join(folder, 'checkpoints'))!);
    return { result, checkpoint, train: readCsv(join(folder, 'train.csv')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How a member of a fleet ended. */
export interface FleetEnd {
  end: End;
  facts: SessionFacts;
  seconds: number;
}

/** Trains runs side by side, `<folder>/<name>` each, and leaves what they leave. */
export async function trainTogether(
  folder: string,
  specs: Readonly<Record<string, RunSpec>>,
  rows_per_pass: number | null = null,
): Promise<Record<string, FleetEnd>> {
  const ends: Record<string, FleetEnd> = {};
  const runs = Object.entries(specs).map(([name, spec]): FleetRun => {
    let seconds = 0;
    return {
      name,
      run: runIn(join(folder, name)),
      spec,
      onSpent: (more) => (seconds += more),
      onEnd: (end, facts) => {
        ends[name] = { end, facts, seconds };
        return Promise.resolve();
      },
    };
  });
  await trainFleet(runs, { rows_per_pass, progress: 'none' });
  return ends;
}
