import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../util/errors.js';
import type { RunId } from './paths.js';
import type { Versions } from './versions.js';

export type RunStatus = 'running' | 'finished' | 'stopped' | 'failed';

/** What is known of the engine; the shape of `EngineInfo`. */
export interface EngineRecord {
  name: string;
  device: string;
  libtensorflow?: string;
  threads: number;
  reason: string;
}

/** Runs that were trained side by side, in one pass over the frozen model. */
export interface FleetRecord {
  size: number;
  /** `runName` of each. */
  members: string[];
}

/** run.json: what a run is, how it stands, on what it ran. */
export interface RunRecord {
  format: 1;
  run: RunId;
  status: RunStatus;
  /** Of the config, less what does not change results. */
  config_hash: string;
  /** Optimiser steps done, and to be done. */
  step: number | null;
  total_steps: number | null;
  /** Trainable and frozen numbers of the model. */
  parameters: { trainable: number; total: number } | null;
  /** Scores and whatever else a stage has to say at its end. */
  results: Record<string, unknown>;
  timings: {
    started: string;
    updated: string;
    ended: string | null;
    /**
     * Time at work in all attempts together. Of a run in a fleet its share, so that seconds of runs may be added up: of
     * each step's time by its examples, and its own validations, checkpoints and tests.
     */
    seconds: number;
    /** How often the run was started: 1 + resumptions. */
    attempts: number;
  };
  versions: Versions;
  engine: EngineRecord | null;
  /** The runs that it trained with in its last attempt, itself included; null when it was alone. */
  fleet: FleetRecord | null;
  host: { name: string; platform: string; cpus: string; memory_gib: number };
  git: { commit: string; dirty: boolean } | null;
  /** Why it failed, or which signal stopped it. */
  error: string | null;
}

export const RECORD_NAME = 'run.json';

/** The record of a run folder; undefined when there is none. @throws UserError when it is damaged */
export function readRecord(folder: string): RunRecord | undefined {
  const file = join(folder, RECORD_NAME);
  if (!existsSync(file)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UserError(`${file}: damaged: not JSON.`, {
      hint: 'Run again with --force to start this run over.',
      cause: error,
    });
  }
  const { format, status, config_hash: hash } = (value ?? {}) as Partial<RunRecord>;
  if (format !== 1 || typeof status !== 'string' || typeof hash !== 'string') {
    throw new UserError(`${file}: not a run record of this version.`, {
      hint: 'Run again with --force to start this run over.',
    });
  }
  return value as RunRecord;
}
