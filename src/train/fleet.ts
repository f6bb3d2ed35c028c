import { join } from 'node:path';
import { latestCheckpoint, loadCheckpoint, stepName, type LoadedCheckpoint } from '../checkpoints/manager.js';
import { warn } from '../logging/console.js';
import { startProgress, type Progress, type ProgressMode } from '../logging/progress.js';
import type { Run } from '../runs/run-folder.js';
import { UserError } from '../util/errors.js';
import { stopRequested } from '../util/signals.js';
import { trainLoop, type End, type Member } from './loop.js';
import type { RunSpec } from './run-spec.js';
import { Session, type FleetState, type SessionFacts } from './session.js';

/** A run to train, in its open folder. */
export interface FleetRun {
  /** Tells it apart from the others, in this process and the next. */
  name: string;
  run: Run;
  spec: RunSpec;
  /** Told of the seconds that go into it: its share of the steps, its validations and checkpoints. */
  onSpent?: (seconds: number) => void;
  /** It has ended, while others may go on; what is done here is waited for. Neither finished nor closed yet. */
  onEnd: (end: End, facts: SessionFacts) => Promise<void>;
}

export interface FleetOptions {
  /** Most rows in a pass; see `trainStep`. */
  rows_per_pass: number | null;
  progress: ProgressMode;
}

/**
 * Trains runs side by side, each in its folder as if it were alone; a lone run is a fleet of one. Every run goes on from
 * its latest checkpoint, shows up in the one progress display, and stops at a signal.
 *
 * @throws what is no run's own fault (those end their run, with `onEnd`), and before the first step where a folder cannot
 *   be gone on in: a checkpoint or CSV of another version
 */
export async function trainFleet(runs: readonly FleetRun[], options: FleetOptions): Promise<void> {
  const from = startingPoints(runs);
  const sessions: Session[] = [];
  let progress: Progress | undefined;
  const stopProgress = (): void => {
    progress?.stop();
    progress = undefined;
  };
  let left = runs.length;
  try {
    runs.forEach(({ name, run, spec, onSpent = () => undefined, onEnd }, i) => {
      const session: Session = new Session(run, spec, name, from[i], onSpent, (end) => {
        // A run that was killed right after its patience ran out has no more steps to make either.
        // What is said of the last run comes behind the last of the display.
        if (--left === 0) stopProgress();
        const cut = end.reason === 'finished' && session.state.step < spec.total_steps;
        return onEnd(cut ? { reason: 'patience' } : end, session.facts());
      });
      sessions.push(session);
    });
    progress = startProgress({
      label: runs.length === 1 ? runs[0]!.spec.label : `${runs.length} runs`,
      total: Math.max(...runs.map(({ spec }) => spec.total_steps)),
      start: Math.min(...sessions.map(({ state }) => state.step)),
      mode: options.progress,
    });
    await trainLoop(sessions, {
      rows_per_pass: options.rows_per_pass,
      stopRequested,
      onProgress: (active, turn) => progress?.update(turn[0]!.state.step, fieldsOf(sessions, active)),
    });
  } finally {
    stopProgress();
    for (const session of sessions) session.dispose();
  }
}

/** How a lone run ended. */
export type SessionResult = SessionFacts & { reason: 'finished' | 'patience' | 'signal' };

/**
 * Trains one run in its open folder, which stays open.
 *
 * @throws RunError when the loss is not finite or the disk is full; the last checkpoint is kept
 */
export async function trainSession(run: Run, spec: RunSpec, progress: ProgressMode): Promise<SessionResult> {
  let result: SessionResult | undefined;
  const onEnd: FleetRun['onEnd'] = (end, facts) => {
    if (end.reason === 'failed') throw end.error;
    result = { ...facts, reason: end.reason };
    return Promise.resolve();
  };
  await trainFleet([{ name: spec.label, run, spec, onEnd }], { rows_per_pass: null, progress });
  return result!;
}

/** Loss of a lone run; of several, the mean, and how many are at work. */
function fieldsOf(sessions: readonly Session[], active: readonly Member[]): Record<string, string> {
  const losses = sessions.filter((session) => active.includes(session)).map(({ latestLoss }) => latestLoss);
  const known = losses.filter((loss) => !Number.isNaN(loss));
  const loss = { loss: (known.reduce((sum, value) => sum + value, 0) / known.length).toFixed(4) };
  return sessions.length === 1 ? loss : { ...loss, training: `${active.length} of ${sessions.length}` };
}

/**
 * The checkpoint that each run goes on from: its latest whole one; or the one before, where a kill came while the fleet
 * was saving, so that some run that trained beside it is at that one still. They then make those steps together again,
 * and to the same bits.
 */
function startingPoints(runs: readonly FleetRun[]): (LoadedCheckpoint | undefined)[] {
  const latest = runs.map(({ run }) => {
    const { checkpoint, broken } = latestCheckpoint(run.path('checkpoints'));
    for (const { path, reason } of broken) warn(`${path} is damaged and passed over: ${reason}`);
    return checkpoint;
  });
  const steps = new Map(runs.map(({ name }, i) => [name, latest[i]?.step ?? 0]));
  return latest.map((checkpoint, i) => {
    const { beside } = (checkpoint?.state ?? {}) as FleetState;
    if (beside === undefined || !beside.runs.some((name) => steps.get(name) === beside.previous)) return checkpoint;
    if (beside.previous === 0) return undefined;
    try {
      return loadCheckpoint(join(runs[i]!.run.path('checkpoints'), stepName(beside.previous)));
    } catch (error) {
      if (error instanceof UserError) return checkpoint;
      throw error;
    }
  });
}
