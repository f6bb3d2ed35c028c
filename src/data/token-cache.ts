import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilStopped } from '../hub/errors.js';
import { log, warn } from '../logging/console.js';
import { startProgress, type Progress, type ProgressMode } from '../logging/progress.js';
import type { Example, SplitName } from '../tasks/types.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { explainWriteError, folderAside, settleFolder, writeFileAtomic } from '../util/atomic-write.js';
import { RunError } from '../util/errors.js';
import { acquireLock } from '../util/file-lock.js';
import { mptHome, packageVersion } from '../util/paths.js';
import { StoppedError, stopRequested } from '../util/signals.js';
import type { OpenTask, PlacedExample, SplitSource } from './dataset.js';
import type { Rows, TokenRows } from './rows.js';
import { TokenFileWriter, openTokenFile } from './token-file.js';
import { exampleTokenizer, type TokenLimits, type TruncationReport } from './tokenized.js';

/** Raised when the files of the cache change their form. */
const FORMAT = 1;

/** What is known of a cached split without reading it. */
interface SplitMeta {
  identity: Record<string, unknown>;
  truncation: TruncationReport;
  /** The first example, texts and all; training examples are kept without their inputs. */
  sample: Example | null;
  /** Time it took to read, render and tokenise; for the speed shown. */
  seconds: number;
}

/** A training example without its input, which is only needed as tokens. */
export type TrainExample = Omit<Example, 'input'>;

export interface CachedSplit<E> extends SplitMeta {
  tokens: TokenRows;
  examples: Rows<E>;
  /** Hash of all that shapes the rows; equal keys mean equal rows. */
  key: string;
  /** Whether the rows were there already. */
  cached: boolean;
}

export interface CachedTask {
  train: CachedSplit<TrainExample>;
  validation: CachedSplit<Example>;
  test: CachedSplit<Example>;
}

function cacheKey(identity: Record<string, unknown>): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** Where tokenised rows are kept: MPT_TOKEN_CACHE, or below mpt's home. Everything in it can be deleted at any time. */
export function tokenCacheFolder(): string {
  return process.env['MPT_TOKEN_CACHE'] ?? join(mptHome(), 'tokenized');
}

/** Where a task's rows may lie: the cache, or a temporary folder where that cannot be written. */
function foldersOf(task: string): [cache: string, temporary: string] {
  return [join(tokenCacheFolder(), task), join(tmpdir(), `mpt-tokenized-${process.getuid?.() ?? 'user'}`, task)];
}

function writableFolder(task: string): string {
  const [folder, temporary] = foldersOf(task);
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (error) {
    warn(
      `cannot write to ${folder} (${(error as Error).message}); tokenised rows go to ${temporary} ` +
        '(MPT_TOKEN_CACHE names another folder)',
    );
    mkdirSync(temporary, { recursive: true });
    return temporary;
  }
}

function openCached(folder: string, key: string, tokenizer: Tokenizer): CachedSplit<Example> | null {
  try {
    const meta = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as SplitMeta;
    const files = cacheKey(meta.identity) === key ? openTokenFile(folder, tokenizer.vocab_size) : null;
    const whole = files !== null && files.tokens.length === meta.truncation.n;
    return whole ? { ...meta, ...files, key, cached: true } : null;
  } catch {
    return null; // not there, or not whole: it is made again
  }
}

/** Rows between two looks at the clock and at signals. */
const CHECK_EVERY = 1000;
/** Shorter work is not worth a line. */
const SHOW_AFTER_MS = 2000;

/** A full disk in words; other faults stay what they are. */
function explained(error: unknown, folder: string): unknown {
  const told = explainWriteError(error, folder);
  if (!(told instanceof RunError)) return told;
  return new RunError(told.message, {
    hint: 'Free some space, or let MPT_TOKEN_CACHE name a folder on another disk, and run again.',
    cause: error,
  });
}

async function build(
  source: SplitSource,
  train: boolean,
  identity: Record<string, unknown>,
  folder: string,
  { tokenizer, limits, label, progress: mode }: TokenizeOptions & { label: string },
): Promise<void> {
  const began = performance.now();
  const tokenise = exampleTokenizer(tokenizer, limits);
  const total = source.rows();
  let progress: Progress | null = null;
  const aside = folderAside(folder);
  try {
    const writer = new TokenFileWriter(aside.path, tokenizer.vocab_size);
    let sample: PlacedExample | null = null;
    let done = 0;
    try {
      for await (const placed of source.examples()) {
        const { input, ...rest } = placed.example;
        writer.add(placed.position, train ? rest : { input, ...rest }, tokenise.example(placed.example));
        if (sample === null || placed.position < sample.position) sample = placed;
        if (++done % CHECK_EVERY !== 0) continue;
        // Nothing to save: what is half done is done again.
        const signal = stopRequested();
        if (signal !== null) throw new StoppedError(signal, null);
        if (performance.now() - began > SHOW_AFTER_MS) progress ??= startProgress({ label, total, mode });
        progress?.update(Math.min(done, total));
      }
      progress?.update(total);
      writer.finish();
    } finally {
      writer.close();
    }
    const seconds = (performance.now() - began) / 1000;
    const meta: SplitMeta = { identity, truncation: tokenise.report, sample: sample?.example ?? null, seconds };
    writeFileAtomic(join(aside.path, 'meta.json'), `${JSON.stringify(meta, null, 2)}\n`);
    aside.commit();
  } catch (error) {
    throw explained(error, folder);
  } finally {
    aside.discard();
    progress?.stop();
  }
}

export interface TokenizeOptions {
  tokenizer: Tokenizer;
  limits: TokenLimits;
  progress: ProgressMode;
}

async function cachedSplit(
  open: OpenTask,
  name: SplitName,
  options: TokenizeOptions,
): Promise<CachedSplit<TrainExample | Example>> {
  const { tokenizer, limits } = options;
  const source = open.splits[name];
  const identity = { format: FORMAT, mpt: packageVersion(), ...source.identity, ...limits, tokenizer: tokenizer.hash };
  const key = cacheKey(identity);
  const entry = `${name}-${key.slice(0, 16)}`;
  for (const folder of foldersOf(open.task.name)) {
    const found = openCached(join(folder, entry), key, tokenizer);
    if (found !== null) return found;
  }
  const label = `${open.task.name} ${name}`;
  const parent = writableFolder(open.task.name);
  const folder = join(parent, entry);
  const release = await lock(join(parent, `.${entry}.lock`), label);
  try {
    const found = openCached(folder, key, tokenizer); // by the one that was waited for
    if (found !== null) return found;
    settleFolder(folder);
    await build(source, name === 'train', identity, folder, { ...options, label: `tokenising ${label}` });
    const made = openCached(folder, key, tokenizer);
    if (made === null) throw new Error(`${folder}: tokenised rows cannot be read back`);
    return { ...made, cached: false };
  } finally {
    release();
  }
}

/** Runs that start together (seeds, methods) need the same rows: one makes them, the others wait. */
async function lock(file: string, label: string): Promise<() => void> {
  const onWait = (holder: string): void => log(`${label} is being tokenised by ${holder}; waiting for it`);
  try {
    return await untilStopped((signal) => acquireLock(file, { waitMs: Infinity, pollMs: 100, onWait, signal }));
  } catch (error) {
    throw explained(error, file);
  }
}

/**
 * The rows of a task as token ids, from the cache on disk or made now. A split is one folder, named by a hash of all
 * that shapes it: the content of its files, the task and its version, template, split rule and limits, tokenizer and
 * lengths. Rows are written as they are read, so that no data set is ever held whole, and read one by one.
 *
 * @throws UserError for malformed rows; StoppedError when a signal came; RunError for a full disk
 */
export async function tokenizedTask(open: OpenTask, options: TokenizeOptions): Promise<CachedTask> {
  return {
    train: await cachedSplit(open, 'train', options),
    validation: (await cachedSplit(open, 'validation', options)) as CachedSplit<Example>,
    test: (await cachedSplit(open, 'test', options)) as CachedSplit<Example>,
  };
}
