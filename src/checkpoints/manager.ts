import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findFolder, settleFolder, writeFileAtomic, writeFolderAtomic, type Content } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';
import { sha256OfFile } from '../util/file-hash.js';
import { readSafetensors, safetensorsPieces, type StoredTensor } from './safetensors.js';

const FORMAT = 1;
/** What holds the trained tensors: a prompt is of use to other tools, and so is a model. */
const TRAINED_FILES = ['prompt.safetensors', 'weights.safetensors'] as const;
export const OPTIMIZER_FILE = 'optimizer.safetensors';
export const STATE_FILE = 'state.json';
export const BEST_NAME = 'best';

/** Everything a run needs to go on as if it had never stopped, as plain data. */
export interface Checkpoint {
  /** Optimiser steps done. */
  step: number;
  /** What is trained, and what it needs to be of use without the rest: prompt.safetensors, or weights.safetensors. */
  tensors: Record<string, StoredTensor>;
  optimizer: Record<string, StoredTensor>;
  /** Samplers, random streams, best score and the like; JSON. */
  state: unknown;
  /** Metadata of that file: the model and the method it belongs to. */
  metadata?: Record<string, string>;
}

export type LoadedCheckpoint = Required<Checkpoint> & { path: string };

interface StateFile {
  format: number;
  step: number;
  /** Of each tensor file, so that a damaged one is noticed. */
  sha256: Record<string, string>;
  state: unknown;
}

function sha256(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

function encode({ step, tensors, optimizer, state, metadata = {} }: Checkpoint): Record<string, Content> {
  const isPrompt = 'prompt' in tensors || 'shared_prompt' in tensors;
  const files = {
    [TRAINED_FILES[isPrompt ? 0 : 1]]: safetensorsPieces(tensors, metadata),
    [OPTIMIZER_FILE]: safetensorsPieces(optimizer),
  };
  const sums = Object.fromEntries(Object.entries(files).map(([name, pieces]) => [name, sha256(pieces)]));
  const stateFile: StateFile = { format: FORMAT, step, sha256: sums, state };
  return { ...files, [STATE_FILE]: stateText(stateFile) };
}

function stateText(stateFile: StateFile): string {
  return `${JSON.stringify(stateFile, null, 2)}\n`;
}

/** The file of trained tensors in a checkpoint folder; where there is none, the one that it should have. */
export function trainedFile(folder: string): string {
  const there = TRAINED_FILES.find((name) => existsSync(join(folder, name)));
  return join(folder, there ?? trainedNameIn(folder) ?? TRAINED_FILES[0]);
}

/** What the state of a checkpoint calls it; undefined where that cannot be read. */
function trainedNameIn(folder: string): string | undefined {
  try {
    return trainedNameOf(readState(folder));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function trainedNameOf({ sha256: sums }: StateFile): string | undefined {
  return TRAINED_FILES.find((name) => name in sums);
}

/** Folder name of a step; zeros in front keep listings in order. */
export function stepName(step: number): string {
  return `step-${String(step).padStart(6, '0')}`;
}

/** The steps saved in `folder`, earliest first; whether they are whole is not looked at. */
export function listSteps(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => /^step-(\d{6,})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Writes `<folder>/step-000500` as a whole; what was there before stays.
 *
 * @param folder the run's `checkpoints` folder
 * @returns the folder written
 * @throws RunError when the disk is full; the checkpoints before are kept
 */
export function writeCheckpoint(folder: string, checkpoint: Checkpoint): string {
  const path = join(folder, stepName(checkpoint.step));
  writeFolderAtomic(path, encode(checkpoint));
  settleFolder(path);
  return path;
}

/**
 * Removes all but the latest checkpoints up to `step`. Later ones go too: they are of a past that was gone back from,
 * because they could not be read.
 *
 * @param keep how many of the latest stay, that of `step` included
 */
export function pruneCheckpoints(folder: string, step: number, { keep = 2 }: { keep?: number } = {}): void {
  const earlier = listSteps(folder).filter((saved) => saved <= step);
  const kept = new Set(earlier.slice(-keep).map(stepName));
  for (const name of readdirSync(folder)) {
    const stale = (name.startsWith('step-') && !kept.has(name)) || name.startsWith('.step-');
    if (stale) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Writes a checkpoint, then removes those that it makes old; see `writeCheckpoint` and `pruneCheckpoints`. */
export function saveCheckpoint(folder: string, checkpoint: Checkpoint, options: { keep?: number } = {}): string {
  const path = writeCheckpoint(folder, checkpoint);
  pruneCheckpoints(folder, checkpoint.step, options);
  return path;
}

/** Writes `<folder>/best` as a whole, in place of the one before. */
export function saveBest(folder: string, checkpoint: Checkpoint): string {
  const path = join(folder, BEST_NAME);
  writeFolderAtomic(path, encode(checkpoint));
  settleFolder(path);
  return path;
}

/**
 * Rewrites the state of a checkpoint so that it is whole without its optimiser, whose file may go then. A training cannot
 * go on from it; what it trained is read as before.
 */
export function forgetOptimizer(path: string): void {
  const { format, step, sha256: sums } = readState(path);
  const { [OPTIMIZER_FILE]: _, ...rest } = sums;
  writeFileAtomic(join(path, STATE_FILE), stateText({ format, step, sha256: rest, state: null }));
}

/** A checkpoint folder that is whole; of its tensors nothing is in memory. */
export interface WholeCheckpoint {
  path: string;
  step: number;
  state: unknown;
  /** Files of what is trained, and of the optimiser. */
  files: [trained: string, optimizer: string];
}

/** What of a checkpoint has to be whole: all that a training goes on from, or what it trained. */
export type Part = 'all' | 'trained';

/**
 * Checks a checkpoint folder against its checksums.
 * @throws UserError naming the file that is missing or damaged
 */
export function checkCheckpoint(path: string, part: Part): WholeCheckpoint {
  const found = findFolder(path);
  if (found === undefined) throw new UserError(`There is no checkpoint ${path}.`);
  const stateFile = readState(found);
  const trainedName = trainedNameOf(stateFile) ?? TRAINED_FILES[0];
  if (part === 'all' && !(OPTIMIZER_FILE in stateFile.sha256)) {
    throw new UserError(`${path}: without its optimiser, as a finished run keeps it: no training goes on from it.`);
  }
  for (const name of part === 'all' ? [trainedName, OPTIMIZER_FILE] : [trainedName]) {
    const file = join(found, name);
    if (!existsSync(file)) throw new UserError(`${file}: there is no such file.`);
    if (sha256OfFile(file) !== stateFile.sha256[name]) {
      readSafetensors(file); // says in more detail what is wrong, if the damage shows there
      throw new UserError(`${file}: damaged: its checksum is not the one in ${STATE_FILE}.`);
    }
  }
  const { step, state } = stateFile;
  return { path, step, state, files: [join(found, trainedName), join(found, OPTIMIZER_FILE)] };
}

function readTensors({ path, step, state, files }: WholeCheckpoint): LoadedCheckpoint {
  const [trained, optimizer] = [readSafetensors(files[0]), readSafetensors(files[1])];
  const tensorsOf = (file: typeof trained): Record<string, StoredTensor> =>
    Object.fromEntries(
      file.names.map((name) => [
        name,
        { shape: file.shape(name), data: file.dtype(name) === 'I32' ? file.int32(name) : file.float32(name) },
      ]),
    );
  return {
    ...{ path, step, state, metadata: { ...trained.metadata } },
    tensors: tensorsOf(trained),
    optimizer: tensorsOf(optimizer),
  };
}

/**
 * Reads one checkpoint folder and checks it against its checksums.
 * @throws UserError naming the file that is missing or damaged
 */
export function loadCheckpoint(path: string): LoadedCheckpoint {
  return readTensors(checkCheckpoint(path, 'all'));
}

function readState(folder: string): StateFile {
  const file = join(folder, STATE_FILE);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserError(`${file}: ${missing ? 'there is no such file' : 'damaged: not JSON'}.`, { cause: error });
  }
  const { format, step, sha256: sums } = (parsed ?? {}) as Partial<StateFile>;
  if (format !== FORMAT) throw new UserError(`${file}: format ${String(format)}, where this version reads ${FORMAT}.`);
  if (!Number.isSafeInteger(step) || step! < 0 || typeof sums !== 'object' || sums === null) {
    throw new UserError(`${file}: damaged: step or checksums are missing.`);
  }
  return parsed as StateFile;
}

export interface BrokenCheckpoint {
  path: string;
  reason: string;
}

/**
 * The latest checkpoint that is whole, less its tensors. Broken ones are passed over and reported; the caller tells the
 * person.
 * @param folder the run's `checkpoints` folder; it need not exist
 */
export function latestWhole(folder: string): { checkpoint: WholeCheckpoint | undefined; broken: BrokenCheckpoint[] } {
  const broken: BrokenCheckpoint[] = [];
  for (const step of listSteps(folder).reverse()) {
    const path = join(folder, stepName(step));
    try {
      const checkpoint = checkCheckpoint(path, 'all');
      if (checkpoint.step !== step) throw new UserError(`${path}: holds step ${checkpoint.step}.`);
      return { checkpoint, broken };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      broken.push({ path, reason: error.message });
    }
  }
  return { checkpoint: undefined, broken };
}

/** The same with its tensors. */
export function latestCheckpoint(folder: string): {
  checkpoint: LoadedCheckpoint | undefined;
  broken: BrokenCheckpoint[];
} {
  const { checkpoint, broken } = latestWhole(folder);
  return { checkpoint: checkpoint && readTensors(checkpoint), broken };
}

/** The best checkpoint on validation; undefined when none was saved. @throws UserError when it is damaged */
export function bestCheckpoint(folder: string): LoadedCheckpoint | undefined {
  const path = join(folder, BEST_NAME);
  return findFolder(path) === undefined ? undefined : loadCheckpoint(path);
}
