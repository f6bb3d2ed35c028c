import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyConfig, Stage } from '../config/schema.js';
import type { EngineInfo } from '../engines/select.js';
import { banner, log, paint } from '../logging/console.js';
import type { ProgressMode } from '../logging/progress.js';
import { countParameters } from '../model/weights.js';
import type { OpenModel } from '../model/open.js';
import { configHash } from '../runs/compare-config.js';
import { runFolder, type RunId } from '../runs/paths.js';
import { readRecord, type RunRecord } from '../runs/record.js';
import { isFinished, openRun, type RecordUpdate, type Run } from '../runs/run-folder.js';
import type { RunSpec } from '../train/run-spec.js';
import { trainableSize, trainSession, type SessionResult } from '../train/session.js';
import { formatCount, formatDuration, formatPercent } from '../util/format.js';
import { StoppedError } from '../util/signals.js';

/** What every recipe is given by its command. */
export interface Context {
  engine: EngineInfo;
  /** Do finished runs again. */
  force: boolean;
  /** Say what would be done, and do none of it. */
  dry_run: boolean;
  progress: ProgressMode;
}

export interface RunOutcome {
  id: RunId;
  folder: string;
  /** It was there already. */
  skipped: boolean;
  record: RunRecord;
}

/** A run to do: where, under which config, and what. Building `spec` may be costly and happens only if it is needed. */
export interface PlannedRun {
  stage: Stage;
  id: RunId;
  out: string;
  config: AnyConfig;
  /** Values in the model, frozen or not. */
  model_parameters: number;
  spec: () => RunSpec;
  /** Lines of the banner that are this run's own. */
  facts: () => [string, string][];
  /** Fingerprints of what it starts from: model, data, prompts. A run whose inputs have changed since is done again. */
  inputs: Readonly<Record<string, string>>;
  /** After training: what the run is worth, recorded in run.json. */
  results?: (run: Run, session: SessionResult) => Promise<Record<string, unknown>> | Record<string, unknown>;
}

/** Says, before the first step, what runs where and on what. */
export function stageBanner(title: string, context: Context, open: OpenModel, rows: [string, string][]): void {
  const { engine } = context;
  const { config, weights } = open.model;
  banner(title, [
    [
      'engine',
      `${engine.name} on ${engine.device}${engine.libtensorflow ? `, libtensorflow ${engine.libtensorflow}` : ''}, ${engine.threads} threads (${engine.reason})`,
    ],
    [
      'model',
      `${open.name} (${open.folder}): ${formatCount(countParameters(weights))} parameters, d_model ${config.d_model}, ` +
        `${config.num_layers}+${config.num_decoder_layers} layers`,
    ],
    ...rows,
  ]);
}

/**
 * Does one run, or finds it done. Fails and stops are recorded in the run's folder before they are passed on.
 *
 * @throws StoppedError after a signal; UserError when the folder is in use or of another config; RunError on failure
 */
export async function execute(context: Context, planned: PlannedRun): Promise<RunOutcome | null> {
  const folder = runFolder(planned.out, planned.id);
  const { inputs } = planned;
  const stale = !context.force && inputsChanged(readRecord(folder), planned);
  const force = context.force || stale;
  if (stale) log(`${describe(planned.id)}: what it started from has changed since; doing it again`);
  // A finished run whose prompt is gone is of no use to anyone.
  const whole = existsSync(join(folder, 'checkpoints'));
  if (!force && whole && isFinished(folder, planned.config)) {
    log(`${paint.green('✓')} ${describe(planned.id)}: finished already (${folder})`);
    return { id: planned.id, folder, skipped: true, record: readRecord(folder)! };
  }
  const spec = planned.spec();
  const initial = spec.initial();
  const trainable = trainableSize(initial, spec);
  const total = planned.model_parameters;
  for (const tensor of Object.values(initial)) tensor.dispose();
  banner(spec.label, [
    ...planned.facts(),
    ['trainable', `${formatCount(trainable)} (${formatPercent(trainable / total)} of the model)`],
    [
      'steps',
      `${formatCount(spec.total_steps)}${spec.eval_every === null ? '' : `, validation every ${spec.eval_every}`}`,
    ],
    ['folder', folder],
  ]);
  if (context.dry_run) return null;

  const run = openRun(planned.out, {
    stage: planned.stage,
    config: planned.config,
    id: planned.id,
    engine: context.engine,
    force: force || (!whole && readRecord(folder)?.status === 'finished'),
  });
  try {
    run.update({ parameters: { trainable, total }, results: { inputs } });
    const session = await trainSession(run, spec, context.progress);
    if (session.signal !== null) throw new StoppedError(session.signal, folder);
    const results: RecordUpdate['results'] = {
      inputs,
      steps: session.steps,
      stopped_by: session.reason,
      best: session.best,
      peak_rss_mb: session.peak_rss_mb,
      ...(await planned.results?.(run, session)),
    };
    run.finish({ results });
    const best = session.best === null ? '' : `, best ${session.best.score.toFixed(1)} at step ${session.best.step}`;
    log(
      `${paint.green('✓')} ${describe(planned.id)}: ${formatDuration(run.record.timings.seconds * 1000)}${best} (${folder})`,
    );
    return { id: planned.id, folder, skipped: false, record: run.record };
  } catch (error) {
    endRun(run, error);
    throw error;
  }
}

/** Records why a run ended early: stopped by a signal, or failed. */
export function endRun(run: Run, error: unknown): void {
  if (error instanceof StoppedError) run.stop(error.signal);
  else run.fail(error);
}

/** Whether the same config was run here on other inputs. Another config is refused elsewhere, not redone. */
function inputsChanged(record: RunRecord | undefined, { config, inputs }: PlannedRun): boolean {
  const before = record?.results['inputs'] as Record<string, string> | undefined;
  if (before === undefined || record!.config_hash !== configHash(config)) return false;
  const contents = (of: Readonly<Record<string, string>>) => Object.values(of).join();
  return contents(before) !== contents(inputs);
}

export function describe({ stage, method, task, seed }: RunId): string {
  return `${stage} ${method} ${task} seed ${seed}`;
}
