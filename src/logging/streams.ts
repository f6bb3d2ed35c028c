import { watchesSignals } from '../util/signals.js';
import { paint } from './console.js';

/** The reader of a pipe, or the terminal, has gone. */
function isGone({ code }: NodeJS.ErrnoException, stream: NodeJS.WriteStream): boolean {
  return (
    code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED' || (code === 'EIO' && stream.isTTY)
  );
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  return code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : message;
}

let terminalLost = false;

/** Node aborts at its end when it cannot set back a terminal that has gone: end by the signal that told of it instead. */
function endByHangup(): void {
  if (terminalLost) return;
  terminalLost = true;
  process.on('exit', () => {
    process.removeAllListeners('SIGHUP');
    process.kill(process.pid, 'SIGHUP');
  });
}

function onError(stream: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (error.code === 'EIO' && stream.isTTY) endByHangup();
  if (stream === process.stdout) onStdoutError(error); // of stderr there is nobody left to tell
}

let told = false;

function onStdoutError(error: NodeJS.ErrnoException): void {
  if (isGone(error, process.stdout)) {
    // With nothing to save, printing was all that is left to do (mpt ls | head): end quietly.
    if (!watchesSignals()) process.exit();
    return;
  }
  if (!told) process.stderr.write(`${paint.red('error:')} stdout cannot be written: ${reasonOf(error)}\n`);
  told = true;
  process.exitCode = process.exitCode || 1;
  if (!watchesSignals()) process.exit();
}

/**
 * What becomes of a command when its output cannot be written. Work that saves something (see `watchSignals`) always goes
 * on: without a log where stderr fails, and with exit code 1 at its end where results could not be printed. Other commands
 * end where stdout fails: quietly where its reader is gone, else with one line and exit code 1.
 */
export function watchStreams(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => onError(stream, error));
  }
}
