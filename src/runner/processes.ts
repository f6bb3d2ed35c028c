// The processes of `mpt run`: one per node, with a log file each.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainWriteError } from '../util/atomic-write.js';
import { LOGS_NAME } from '../runs/early-failures.js';
import type { StopSignal } from '../util/signals.js';
import { shellLine } from './command-line.js';

/** How a process ended; code is null where a signal killed it. */
export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  ended: Promise<ChildEnd>;
  /** Asks it to save and end. */
  stop(signal: StopSignal): void;
}

/** `<out>/<experiment>/.logs/<node>.log` */
export function logFile(out: string, experiment: string, nodeId: string): string {
  return join(out, experiment, LOGS_NAME, `${nodeId.replaceAll('/', '-')}.log`);
}

const MAIN = fileURLToPath(new URL('./child.js', import.meta.url));
const alive = new Set<ChildProcess>();
let watching = false;

/** No process outlives this one: what is still there when it ends is asked to save and end. */
function watchExit(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const child of alive) child.kill('SIGTERM');
  });
}

/** Opens a log to append to, begun with `head`. */
function openLog(log: string, head: string): number {
  let file: number | undefined;
  try {
    mkdirSync(dirname(log), { recursive: true });
    file = openSync(log, 'a');
    writeSync(file, head);
    return file;
  } catch (error) {
    if (file !== undefined) closeSync(file);
    throw explainWriteError(error, log);
  }
}

/**
 * Starts `mpt ARGS` with all that it says appended to a log.
 *
 * It leads a process group of its own: a Ctrl-C in the terminal reaches this process alone, which passes it on, once. Two
 * would end it at once. A terminal that closes tells this process alone, too.
 *
 * @throws RunError when the disk is full, UserError where the log cannot be written
 */
export function startMpt(args: readonly string[], environment: Readonly<Record<string, string>>, log: string): Child {
  const prefix = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const file = openLog(log, `${new Date().toISOString()} $ ${shellLine([...prefix, 'mpt', ...args])}\n`);
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], {
    detached: true,
    stdio: ['ignore', file, file],
    env: { ...process.env, ...environment },
  });
  closeSync(file);
  watchExit();
  alive.add(child);
  const ended = new Promise<ChildEnd>((resolve) => {
    child.on('error', (error) => {
      alive.delete(child);
      closeSync(openLog(log, `it could not be started: ${error.message}\n`));
      resolve({ code: 127, signal: null });
    });
    child.on('close', (code, signal) => {
      alive.delete(child);
      resolve({ code, signal });
    });
  });
  return { ended, stop: (signal) => void child.kill(signal) };
}

/** The last lines that a process wrote of its own, without empty ones. */
export function lastLines(log: string, count: number): string[] {
  const lines = readFileSync(log, 'utf8').split('\n');
  const from = lines.findLastIndex((line) => /^\d{4}-\d\d-\d\dT\S+Z \$ /.test(line)) + 1;
  return lines
    .slice(from)
    .filter((line) => line.trim() !== '')
    .slice(-count);
}
