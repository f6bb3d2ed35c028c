import { UserError } from './errors.js';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** 128 + the signal's number, as shells count. */
export const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** A signal stopped the work after saving; the process exits with 130 or 143. */
export class StoppedError extends UserError {
  override readonly name = 'StoppedError';

  /** @param folder where everything up to here is saved; null where there is no run to save */
  constructor(
    readonly signal: StopSignal,
    folder: string | null,
  ) {
    super(`stopped by ${signal}${folder === null ? '' : `; everything is saved in ${folder}`}`, {
      exitCode: EXIT_CODES[signal],
      hint: 'The same command goes on from there.',
    });
  }
}

let requested: StopSignal | null = null;
let watching = false;
const listeners = new Set<(signal: StopSignal) => void>();

function onSignal(signal: StopSignal): void {
  // The second one means it: exit at once. What was saved before is whole, as every write is atomic.
  if (requested !== null) process.exit(EXIT_CODES[signal]);
  requested = signal;
  for (const listener of listeners) listener(signal);
}

/**
 * From now on the first SIGINT (Ctrl-C) or SIGTERM only asks to stop: the run looks at `stopRequested` between steps,
 * saves and exits with 130 or 143. A second one exits at once.
 */
export function watchSignals(): void {
  if (watching) return;
  watching = true;
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** Back to the defaults of Node; forgets a request. */
export function unwatchSignals(): void {
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
  watching = false;
  requested = null;
  listeners.clear();
}

/** The signal that asked this process to stop, if one came. */
export function stopRequested(): StopSignal | null {
  return requested;
}

/** @throws StoppedError when a signal has asked this process to stop */
export function stopIfRequested(folder: string | null): void {
  if (requested !== null) throw new StoppedError(requested, folder);
}

/** Calls back at the first signal (at once, if it came already). @returns a function that takes this back */
export function onStop(listener: (signal: StopSignal) => void): () => void {
  if (requested !== null) listener(requested);
  else listeners.add(listener);
  return () => listeners.delete(listener);
}
