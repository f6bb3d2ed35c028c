import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export interface Ended {
  /** null when a signal killed the process. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  /** What it has written to stderr so far. */
  stderr(): string;
  ended: Promise<Ended>;
}

const CHILD = fileURLToPath(new URL('./mpt-child.js', import.meta.url));

/** No test reaches the network, or what a user has in the hub's cache; and all see what CI sees (no colours in a pipe). */
const OFFLINE = {
  CI: 'true',
  HF_HUB_OFFLINE: '1',
  HF_HOME: join(tmpdir(), 'mpt-test-no-hub'),
  MPT_TOKEN_CACHE: process.env['MPT_TOKEN_CACHE'] ?? join(tmpdir(), 'mpt-test-token-cache'),
};

/** Starts `mpt ARGS` in a process of its own, with `cwd` as its working folder. */
export function startMpt(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = OFFLINE): Started {
  const options = { cwd, env: { ...process.env, ...env } };
  const child = spawn(process.execPath, [CHILD, ...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, stderr: () => stderr, ended };
}

export function mpt(cwd: string, args: readonly string[]): Promise<Ended> {
  return startMpt(cwd, args).ended;
}

/** `mpt ARGS` that must end well. */
export async function mptDone(cwd: string, args: readonly string[]): Promise<Ended> {
  const ended = await mpt(cwd, args);
  if (ended.code !== 0) throw new Error(`mpt ${args.join(' ')}: exit ${ended.code ?? ended.signal}\n${ended.stderr}`);
  return ended;
}

/** A folder for one test file, removed when all of its tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpt-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs jobs with at most `limit` at once: child processes leave this one idle. */
export async function inParallel<T>(jobs: readonly (() => Promise<T>)[], limit = 2): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < jobs.length) {
      const i = next++;
      results[i] = await jobs[i]!();
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, jobs.length) }, work));
  return results;
}
