import { UserError } from './errors.js';

export type StopSignal = 'SIGHUP' | 'SIGINT' | 'SIGTERM';

/** 128 + the signal's number, as shells count. */
export const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

export const STOP_SIGNALS = Object.keys(EXIT_CODES) as readonly StopSignal[];

/** A signal stopped the work after saving; the process exits with the code of the signal. */
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
  // The second one means it: exit at once. What was saved before is whole, as every write is atomic. A closed terminal
  // may tell it twice, by its shell and by the system, and nobody is there to mean it.
  if (requested !== null && signal === 'SIGHUP') return;
  if (requested !== null) process.exit(EXIT_CODES[signal]);
  requested = signal;
  for (const listener of listeners) listener(signal);
}

/**
 * From now on the first SIGINT (Ctrl-C), SIGTERM or SIGHUP (a closed terminal) only asks to stop: the run looks at
 * `stopRequested` between steps, saves and exits with 130, 143 or 129. A second SIGINT or SIGTERM exits at once.
 */
export function watchSignals(): void {
  if (watching) return;
  watching = true;
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
}

/** Whether signals ask work here to stop: it has something to save. */
export function watchesSignals(): boolean {
  return watching;
}

/** Back to the defaults of Node; forgets a request. */
export function unwatchSignals(): void {
  for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
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
