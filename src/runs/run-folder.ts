import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { resolvedYaml } from '../config/load.js';
import type { AnyConfig, Stage } from '../config/schema.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';
import { configHash, differences } from './compare-config.js';
import { acquireLock, LOCK_NAME, type Lock } from './lock.js';
import { runFolder, type RunId } from './paths.js';
import type { ProcessIdentity } from './process-identity.js';
import {
  readRecord,
  RECORD_NAME,
  type EngineRecord,
  type FleetRecord,
  type RunRecord,
  type RunStatus,
} from './record.js';
import { CONFIG_NAME, differenceText, recordedConfig } from './recorded-config.js';
import { gitState, hostFacts, versions } from './versions.js';

export interface OpenOptions {
  /** Names the schema of the config. */
  stage: Stage;
  /** The config of this one run, see `configOfRun`. */
  config: AnyConfig;
  id: RunId;
  engine?: EngineRecord | null;
  /** The runs it trains with, and the seconds that went into this one so far; by default it has all the time for itself. */
  fleet?: { record: FleetRecord; seconds: () => number } | undefined;
  /** Start over: what the folder holds is removed. */
  force?: boolean;
  /** Milliseconds since 1970; for tests. */
  now?: () => number;
}

/** The part of the record that a run may change while it works. */
export type RecordUpdate = Partial<Pick<RunRecord, 'step' | 'total_steps' | 'parameters' | 'results' | 'engine'>>;

/** A run folder that this process has locked. End it with finish, stop or fail; `close` alone leaves it as it is. */
export interface Run {
  readonly folder: string;
  readonly record: Readonly<RunRecord>;
  /** How the run stood when it was opened; null for a new one. "running" then means that it was killed. */
  readonly previous: RunStatus | null;
  /** The process whose lock was taken over, as it had died. */
  readonly takenOverFrom: ProcessIdentity | null;
  path(...names: string[]): string;
  /** Rewrites run.json, atomically. */
  update(changes: RecordUpdate): void;
  /** @param then done once it counts as finished, before the folder is given free */
  finish(changes?: RecordUpdate, then?: () => void): void;
  stop(signal: string): void;
  fail(error: unknown): void;
  close(): void;
}

/** Whether the run in `folder` is finished and computed what `config` asks for. */
export function isFinished(folder: string, config: object | string): boolean {
  const record = readRecord(folder);
  if (record?.status !== 'finished') return false;
  return typeof config === 'string' ? record.config_hash === config : isOfConfig(folder, record, config);
}

/**
 * Opens (or begins) a run: takes the lock, compares configs, writes config.yaml and run.json.
 * A finished run is opened as it is: look at `previous`, or at `isFinished` before.
 *
 * @throws UserError when another process works there, or when the run was begun with another config (and not `force`)
 * @throws RunError when the disk is full
 */
export function openRun(out: string, options: OpenOptions): Run {
  const { stage, config, id, force = false, now = Date.now, fleet } = options;
  const folder = runFolder(out, id);
  const lock = acquireLock(folder);
  try {
    if (force) clearFolder(folder);
    removeOld(folder);
    const before = force ? undefined : readRecord(folder);
    compareWithBefore(folder, stage, config);
    const record = before?.status === 'finished' ? before : begin(options, before, now());
    if (before?.status !== 'finished') {
      writeFileAtomic(join(folder, CONFIG_NAME), resolvedYaml(config, stage));
      writeRecord(folder, record);
    }
    const opened = now();
    const seconds = fleet?.seconds ?? (() => (now() - opened) / 1000);
    return makeRun(folder, record, before?.status ?? null, lock, { now, seconds });
  } catch (error) {
    lock.release();
    throw error;
  }
}

const OLD_PREFIX = '.old-';

/** Moves everything away first, so that a crash on the way leaves an empty run rather than half of one. */
function clearFolder(folder: string): void {
  const old = join(folder, `${OLD_PREFIX}${process.pid}-${Date.now()}`);
  mkdirSync(old);
  const rest = readdirSync(folder).filter((name) => name !== LOCK_NAME && !name.startsWith(OLD_PREFIX));
  // The record goes first: without it nothing counts as finished.
  rest.sort((a, b) => Number(b === RECORD_NAME) - Number(a === RECORD_NAME));
  for (const name of rest) renameSync(join(folder, name), join(old, name));
}

function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(OLD_PREFIX)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function compareWithBefore(folder: string, stage: Stage, config: AnyConfig): void {
  const different = differences(recordedConfig(folder, stage) ?? config, config);
  if (different.length === 0) return;
  const lines = different.map((difference) => `  ${differenceText(difference)}`);
  throw new UserError(`The run in ${folder} was begun with another config:\n${lines.join('\n')}`, {
    hint: 'Use another experiment (--experiment NAME) to keep both, or --force to start this one over.',
  });
}

/** Whether a run was made with this config, as far as it matters. @throws UserError when its config.yaml is damaged */
export function isOfConfig(folder: string, record: RunRecord, config: object): boolean {
  if (record.config_hash === configHash(config)) return true;
  // Another version of mpt may have hashed the same config differently: keys that have come since, or do not matter.
  const recorded = recordedConfig(folder, record.run.stage);
  return recorded !== undefined && differences(recorded, config).length === 0;
}

function begin(
  { id, config, engine = null, fleet }: OpenOptions,
  before: RunRecord | undefined,
  now: number,
): RunRecord {
  const time = new Date(now).toISOString();
  return {
    format: 1,
    run: id,
    status: 'running',
    config_hash: configHash(config),
    step: before?.step ?? null,
    total_steps: before?.total_steps ?? null,
    parameters: before?.parameters ?? null,
    results: {},
    timings: {
      started: before?.timings.started ?? time,
      updated: time,
      ended: null,
      seconds: before?.timings.seconds ?? 0,
      attempts: (before?.timings.attempts ?? 0) + 1,
    },
    versions: versions(),
    engine,
    fleet: fleet?.record ?? null,
    host: hostFacts(),
    git: gitState(),
    error: null,
  };
}

function writeRecord(folder: string, record: RunRecord): void {
  writeFileAtomic(join(folder, RECORD_NAME), `${JSON.stringify(record, null, 2)}\n`);
}

function makeRun(
  folder: string,
  record: RunRecord,
  previous: RunStatus | null,
  lock: Lock,
  { now, seconds }: { now: () => number; seconds: () => number },
): Run {
  const secondsBefore = record.timings.seconds;
  const write = (changes: RecordUpdate & Partial<Pick<RunRecord, 'status' | 'error'>>): void => {
    const time = now();
    const ended = changes.status !== undefined;
    Object.assign(record, changes);
    record.timings.updated = new Date(time).toISOString();
    record.timings.ended = ended ? record.timings.updated : null;
    record.timings.seconds = secondsBefore + seconds();
    writeRecord(folder, record);
  };
  const end = (changes: RecordUpdate & Partial<Pick<RunRecord, 'status' | 'error'>>, then?: () => void): void => {
    try {
      write(changes);
      then?.();
    } finally {
      lock.release();
    }
  };
  return {
    folder,
    record,
    previous,
    takenOverFrom: lock.takenOverFrom,
    path: (...names) => join(folder, ...names),
    update: write,
    finish: (changes = {}, then) => end({ ...changes, status: 'finished' }, then),
    stop: (signal) => end({ status: 'stopped', error: `stopped by ${signal}` }),
    fail: (error) => {
      try {
        end({ status: 'failed', error: error instanceof Error ? error.message : String(error) });
      } catch {
        // A full disk, say: the error that is being recorded matters more than this one.
      }
    },
    close: () => lock.release(),
  };
}
