import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface RunOptions {
  readonly timeoutMs: number;
  readonly cwd?: string | undefined;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Fed to the process's standard input. */
  readonly input?: string;
}

export interface RunResult {
  /** Exit code; null when it could not be started, ran out of time or was killed. */
  readonly code: number | null;
  readonly stdout: string;
  /** Why it failed, for people: the last telling line of its output, `not found`, or `no answer within …`. */
  readonly fault: string;
}

/** Output kept per stream; a compiler's error cascade need not be. */
const KEEP = 200_000;

/**
 * Runs a program to its end, without a shell, bounded in time. It gets a process group of its own, so that what it
 * started ends with it. Resolves in every case; only an abort by `signal` rejects.
 */
export async function runProgram(command: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const ownGroup = process.platform !== 'win32';
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    detached: ownGroup,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let lastError = '';
  let timedOut = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout = (stdout + text).slice(-KEEP)));
  createInterface({ input: child.stderr }).on('line', (line) => {
    // Of many lines the one that says "error" tells most: pip and compilers go on talking after it.
    if (line.trim() !== '' && (/error|cannot|no such|not found/i.test(line) || !/error/i.test(lastError)))
      lastError = line;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');

  const kill = (): void => {
    try {
      if (ownGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      else child.kill('SIGKILL');
    } catch {
      // It has ended on its own.
    }
  };
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  options.signal?.addEventListener('abort', kill, { once: true });
  try {
    return await new Promise<RunResult>((resolve) => {
      child.on('error', (error: NodeJS.ErrnoException) => {
        resolve({ code: null, stdout, fault: error.code === 'ENOENT' ? `${command} not found` : error.message });
      });
      child.on('close', (code, signal) => {
        const limit = `no end within ${Math.round(options.timeoutMs / 1000)} s`;
        const said = shorten(lastError || lastLine(stdout)) || `${command} exited with ${code ?? signal}`;
        resolve({ code: timedOut ? null : code, stdout, fault: timedOut ? limit : said });
      });
    });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', kill);
    options.signal?.throwIfAborted();
  }
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function shorten(line: string): string {
  const text = line.trim().replace(/\s+/g, ' ');
  return text.length > 240 ? `${text.slice(0, 239)}…` : text;
}
