import { banner, log, paint, warn } from '../logging/console.js';
import { changedInputs, recordedInputs } from '../runs/compare-inputs.js';
import { lostFrom, tidy, tidyFound, type KeptResults } from '../runs/kept-checkpoints.js';
import { runFolder, runName } from '../runs/paths.js';
import { readRecord, type RunRecord } from '../runs/record.js';
import { isFinished, isOfConfig, openRun, type Run } from '../runs/run-folder.js';
import { trainFleet } from '../train/fleet.js';
import type { End } from '../train/loop.js';
import type { RunSpec } from '../train/run-spec.js';
import { trainableSize, type SessionFacts } from '../train/session.js';
import { RunError, UserError } from '../util/errors.js';
import { formatCount, formatDuration, formatPercent } from '../util/format.js';
import { StoppedError } from '../util/signals.js';
import { concludeRun, describe, endRun, type Context, type PlannedRun, type RunOutcome } from './context.js';

/** How many runs train side by side, and what bounds their passes: keys of the config. */
export interface FleetKeys {
  fleet: number;
  rows_per_pass: number | null;
}

/** Does one run, or finds it done; see `executeAll`. @returns null in a dry run */
export async function execute(context: Context, planned: PlannedRun): Promise<RunOutcome | null> {
  return (await executeFleet(context, [planned], null))[0] ?? null;
}

/**
 * Does runs, so many side by side, or finds them done. Which ones train together depends on the plan alone, whether
 * they are finished or not: the same command goes on with the same fleets. Fails and stops are recorded in each run's
 * folder before they are passed on.
 *
 * @param plan made as it is walked; a run that is done is forgotten
 * @returns outcomes in the order of the plan; in a dry run, of those that are there
 * @throws StoppedError after a signal; UserError when a folder is in use or of another config; RunError when a run has
 *   failed, once the others of its fleet have ended
 */
export async function executeAll(
  context: Context,
  plan: AsyncIterable<PlannedRun>,
  { fleet: size, rows_per_pass }: FleetKeys,
): Promise<RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  let fleet: PlannedRun[] = [];
  for await (const planned of plan) {
    fleet.push(planned);
    if (fleet.length < size) continue;
    outcomes.push(...(await executeFleet(context, fleet, rows_per_pass)));
    fleet = [];
  }
  outcomes.push(...(await executeFleet(context, fleet, rows_per_pass)));
  return outcomes;
}

/** A run that is to be done. */
interface PendingRun {
  planned: PlannedRun;
  spec: RunSpec;
  trainable: number;
  /** Whatever is there goes. */
  force: boolean;
}

/** The same in its open folder; in the end it has an outcome or an error. */
interface OpenedRun extends PendingRun {
  run: Run;
  time: { seconds: number };
  outcome?: RunOutcome;
  error?: unknown;
}

async function executeFleet(
  context: Context,
  plan: readonly PlannedRun[],
  rows_per_pass: number | null,
): Promise<RunOutcome[]> {
  const found = plan.map((planned) => finishedOutcome(context, planned) ?? pendingRun(context, planned));
  const pending = found.filter((entry): entry is PendingRun => 'spec' in entry);
  for (const run of pending) runBanner(run);
  if (context.dry_run || pending.length === 0) return found.filter((entry): entry is RunOutcome => !('spec' in entry));
  const opened = openRuns(context, pending);
  await trainOpened(context, opened, rows_per_pass);
  return found.map((entry) => ('spec' in entry ? opened[pending.indexOf(entry)]!.outcome! : entry));
}

/** What a run came to that is finished already, on the same inputs. */
function finishedOutcome(context: Context, planned: PlannedRun): RunOutcome | undefined {
  const { out, id, config } = planned;
  const folder = runFolder(out, id);
  if (context.force || !isFinished(folder, config)) return undefined;
  const record = readRecord(folder)!;
  if (lostFrom(folder, record) !== undefined || changesSince(record, planned).length > 0) return undefined;
  if (!context.dry_run) tidyFound(folder, record);
  log(`${paint.green('✓')} ${describe(id)}: finished already (${folder})`);
  return { id, folder, skipped: true, record };
}

/** What has changed since the same config was run here. Another config is refused elsewhere, not redone. */
function changesSince(record: RunRecord | undefined, { config, inputs, out, id }: PlannedRun): string[] {
  const before = record && recordedInputs(record);
  if (before === undefined || !isOfConfig(runFolder(out, id), record!, config)) return [];
  return changedInputs(before, inputs);
}

function pendingRun(context: Context, planned: PlannedRun): PendingRun {
  const folder = runFolder(planned.out, planned.id);
  const before = readRecord(folder);
  const changes = context.force ? [] : changesSince(before, planned);
  const stale = changes.length > 0;
  if (stale) {
    log(`${describe(planned.id)}: what it started from has changed since (${changes.join(', ')}); doing it again`);
  }
  // A finished run is of no use to anyone without what it trained.
  const lost = before && isFinished(folder, planned.config) ? lostFrom(folder, before) : undefined;
  if (lost !== undefined && !context.force && !stale) {
    log(`${describe(planned.id)}: finished, but what it trained is gone (there is no ${lost}); doing it again`);
  }
  const spec = planned.spec();
  const initial = spec.initial();
  const trainable = trainableSize(initial, spec);
  for (const tensor of Object.values(initial)) tensor.dispose();
  const force = context.force || stale || lost !== undefined;
  return { planned, spec, trainable, force };
}

function runBanner({ planned, spec, trainable }: PendingRun): void {
  banner(spec.label, [
    ...planned.facts(),
    ['trainable', `${formatCount(trainable)} (${formatPercent(trainable / planned.model_parameters)} of the model)`],
    [
      'steps',
      `${formatCount(spec.total_steps)}${spec.eval_every === null ? '' : `, validation every ${spec.eval_every}`}`,
    ],
    ['folder', runFolder(planned.out, planned.id)],
  ]);
}

/** Opens the folders of all, or of none. */
function openRuns({ engine }: Context, pending: readonly PendingRun[]): OpenedRun[] {
  const members = pending.map(({ planned }) => runName(planned.id));
  const opened: OpenedRun[] = [];
  try {
    for (const entry of pending) {
      const { planned, trainable, force } = entry;
      const { stage, out, id, config, inputs, model_parameters } = planned;
      const time = { seconds: 0 };
      const fleet = { record: { size: members.length, members }, seconds: () => time.seconds };
      const run = openRun(out, { stage, config, id, engine, force, ...(members.length > 1 ? { fleet } : {}) });
      opened.push({ ...entry, run, time });
      run.update({ parameters: { trainable, total: model_parameters }, results: { inputs } });
    }
    return opened;
  } catch (error) {
    for (const { run } of opened) endRun(run, error);
    throw error;
  }
}

/** Trains runs side by side, each to its end. @throws what kept runs from finishing, once all have ended */
async function trainOpened(context: Context, fleet: readonly OpenedRun[], rows_per_pass: number | null): Promise<void> {
  const members = fleet.map((member) => ({
    name: runName(member.planned.id),
    run: member.run,
    spec: member.spec,
    onSpent: (seconds: number): void => void (member.time.seconds += seconds),
    onEnd: async (end: End, facts: SessionFacts): Promise<void> => {
      await endMember(member, end, facts);
      if (member.error === undefined || member.error instanceof StoppedError || fleet.length === 1) return;
      warn(`${describe(member.planned.id)} has failed, the others go on: ${(member.error as Error).message}`);
    },
  }));
  try {
    await trainFleet(members, { rows_per_pass, progress: context.progress });
  } catch (error) {
    // The engine's end, a bug, or a folder that cannot be gone on in: all end.
    for (const { run, outcome, error: ended } of fleet) {
      if (outcome === undefined && ended === undefined) endRun(run, error);
    }
    throw error;
  }
  const failed = fleet.filter(({ error }) => error !== undefined);
  if (failed.length > 0) throw fleet.length === 1 ? failed[0]!.error : errorOfFleet(failed);
}

/** Records what a run came to, or why it came to nothing. */
async function endMember(member: OpenedRun, end: End, facts: SessionFacts): Promise<void> {
  const { planned, run, time } = member;
  const { keep_finished } = member.spec.train;
  const work = async (): Promise<Record<string, unknown>> => {
    if (end.reason === 'failed') throw end.error;
    if (end.reason === 'signal') throw new StoppedError(end.signal, run.folder);
    const { steps, best, peaks } = facts;
    const began = performance.now();
    const more = await planned.results?.(run, facts);
    time.seconds += (performance.now() - began) / 1000;
    const kept: KeptResults = { keeps: keep_finished };
    return { inputs: planned.inputs, steps, stopped_by: end.reason, best, ...kept, ...peaks(), ...more };
  };
  try {
    member.outcome = await concludeRun(run, work, () => keep_finished === 'final' && tidy(run.folder));
  } catch (error) {
    member.error = error;
    if (error instanceof UserError) return;
    throw error;
  }
  const best = facts.best === null ? '' : `, best ${facts.best.score.toFixed(1)} at step ${facts.best.step}`;
  const taken = formatDuration(run.record.timings.seconds * 1000);
  log(`${paint.green('✓')} ${describe(planned.id)}: ${taken}${best} (${run.folder})`);
}

/** One error for several runs, each named. */
function errorOfFleet(failed: readonly OpenedRun[]): UserError {
  const stopped = failed.filter(({ error }) => error instanceof StoppedError);
  if (stopped.length > 0) {
    return new StoppedError(
      (stopped[0]!.error as StoppedError).signal,
      stopped.map(({ run }) => run.folder).join(', '),
    );
  }
  const errors = failed.map(({ planned, error }) => `${describe(planned.id)}: ${(error as Error).message}`);
  const { hint } = failed[0]!.error as UserError;
  return new RunError(errors.join('\n'), hint === undefined ? {} : { hint });
}
