import type { AnyConfig, Stage } from '../config/schema.js';
import type { EngineInfo } from '../engines/select.js';
import { banner } from '../logging/console.js';
import type { ProgressMode } from '../logging/progress.js';
import { countParameters } from '../model/weights.js';
import type { OpenModel } from '../model/open.js';
import type { Inputs } from '../runs/compare-inputs.js';
import type { RunId } from '../runs/paths.js';
import type { RunRecord } from '../runs/record.js';
import type { RecordUpdate, Run } from '../runs/run-folder.js';
import type { RunSpec } from '../train/run-spec.js';
import type { SessionFacts } from '../train/session.js';
import { formatCount, plural } from '../util/format.js';
import { StoppedError } from '../util/signals.js';

/** What every recipe is given by its command. */
export interface Context {
  engine: EngineInfo;
  /** Do finished runs again. */
  force: boolean;
  /** Say what would be done, and do none of it. */
  dry_run: boolean;
  /** The variants are settings that --sweep has named. */
  sweeps?: boolean;
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
  inputs: Inputs;
  /** After training: what the run is worth, recorded in run.json. */
  results?: (run: Run, facts: SessionFacts) => Promise<Record<string, unknown>> | Record<string, unknown>;
}

/** Says, before the first step, what runs where and on what. */
export function stageBanner(title: string, context: Context, open: OpenModel, rows: [string, string][]): void {
  const { engine } = context;
  const { config, weights } = open.model;
  banner(title, [
    [
      'engine',
      `${engine.name} on ${engine.device}${engine.libtensorflow ? `, libtensorflow ${engine.libtensorflow}` : ''}, ${plural(engine.threads, 'thread')} (${engine.reason})`,
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
 * Finishes a run with what `work` comes to. Fails and stops are recorded in its folder before they are passed on.
 *
 * @param then see `Run.finish`
 */
export async function concludeRun(
  run: Run,
  work: () => Promise<RecordUpdate['results']> | RecordUpdate['results'],
  then?: () => void,
): Promise<RunOutcome> {
  try {
    run.finish({ results: await work() }, then);
    return { id: run.record.run, folder: run.folder, skipped: false, record: run.record };
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

export function describe({ stage, method, task, seed, draw }: RunId): string {
  return `${stage} ${method} ${task} seed ${seed}${draw === undefined ? '' : ` draw ${draw}`}`;
}
