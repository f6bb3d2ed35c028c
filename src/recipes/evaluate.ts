import { trainedFile } from '../checkpoints/manager.js';
import type { EvalConfig } from '../config/schema.js';
import { log, paint, warn } from '../logging/console.js';
import { methodLabel } from '../methods/names.js';
import { openTuned } from '../methods/stored.js';
import { openModel, type OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { runFolder, separateTasks, type RunId } from '../runs/paths.js';
import { configOfRun } from '../runs/compare-config.js';
import { changedInputs, recordedInputs, type Inputs } from '../runs/compare-inputs.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import { readRecord, type RunRecord } from '../runs/record.js';
import { isFinished, isOfConfig, openRun } from '../runs/run-folder.js';
import { watchMemory } from '../train/meter.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { RunError, UserError } from '../util/errors.js';
import { concludeRun, describe, stageBanner, type Context, type RunOutcome } from './context.js';
import { fewShot } from './few-shot.js';
import { scoredFingerprint } from './fingerprint.js';
import { finishedPrompt, locateAdapted, lostPrompt } from './locate.js';
import { inputsOf, prepareTask, type PreparedSplit, type PreparedTask } from './prepare.js';
import { checkProvenance, checkProvenanceOf, ifThere } from './provenance.js';
import { majorityScore, predictionLines, scoreOf } from './score.js';
import { scoredSplit, testEntries } from './test-entries.js';
import { StoppedError, stopRequested } from '../util/signals.js';

/** A task to test on. */
interface Scored {
  prepared: PreparedTask;
  split: PreparedSplit;
  /** See `scoredFingerprint`. */
  fingerprint: string;
}

/** An adapted run to test on one task. */
interface Adapted {
  /** Of the evaluation. */
  id: RunId;
  /** Folder of the adapted run, and of its final checkpoint. */
  run: string;
  checkpoint: string;
}

/** Why the scores in a folder no longer hold; null where they do, or where the folder is to be refused for its config. */
function outdated(folder: string, before: RunRecord, config: EvalConfig, inputs: Inputs): string | null {
  if (before.status !== 'finished' || !isOfConfig(folder, before, config)) return null;
  const then = recordedInputs(before);
  // Cheap to do again, and nothing else could tell: an older version looked at the adapted run only.
  if (then === undefined) return 'its scores do not say which data they are of (of an older version)';
  const changes = changedInputs(then, inputs);
  return changes.length === 0 ? null : `what it scored has changed since (${changes.join(', ')})`;
}

/** Test scores of one adapted run on one task, in a folder of the eval stage beside its predictions. */
async function evaluateRun(
  config: EvalConfig,
  context: Context,
  open: OpenModel,
  { prepared, split, fingerprint }: Scored,
  { id, run: adaptedFolder, checkpoint }: Adapted,
): Promise<RunOutcome> {
  const folder = runFolder(config.out, id);
  const file = trainedFile(checkpoint);
  const inputs = inputsOf(open, [{ task: prepared.task, fingerprint }], [file]);
  const before = context.force ? undefined : readRecord(folder);
  const why = before === undefined ? null : outdated(folder, before, config, inputs);
  if (before !== undefined && why === null && isFinished(folder, config)) {
    log(`${paint.green('✓')} ${describe(id)}: finished already (${folder})`);
    return { id, folder, skipped: true, record: before };
  }
  const adapted = readRecord(adaptedFolder)!;
  const tuned = openTuned(checkpoint, open.model);
  try {
    checkProvenance([tuned], open, prepared.rendering);
    const entry = entryOf(tuned, id.task);
    if (why !== null) log(`${describe(id)}: ${why}; evaluating again`);
    const force = context.force || why !== null;
    const run = openRun(config.out, { stage: 'eval', config, id, engine: context.engine, force });
    const memory = watchMemory();
    const label = `eval ${id.method} ${id.task}, seed ${id.seed}`;
    const work = async () => {
      const by = { predictor: tuned.predictor, tokenizer: open.tokenizer, entries: [entry] };
      const [predictions] = await testEntries(config, context, prepared, split, by, { label, folder });
      writeFileAtomic(run.path('predictions.jsonl'), `${predictionLines(prepared, split, predictions!).join('\n')}\n`);
      const tasks = separateTasks(adapted.run.task).length;
      const results: EvaluationResults = {
        split: config.split,
        examples: split.examples.length,
        shots: null,
        headline: prepared.task.headline,
        trainable_parameters: (adapted.parameters?.trainable ?? 0) / tasks,
        majority: majorityScore(prepared, split),
        scores: [{ seed: id.seed, draw: null, metrics: scoreOf(prepared, split, predictions!) }],
      };
      return { prompt: file, inputs, ...memory.peaks(), ...results };
    };
    const outcome = await concludeRun(run, work).finally(() => memory.stop());
    const { headline, scores } = outcome.record.results as unknown as EvaluationResults;
    log(`${paint.green('✓')} ${label}: ${headline} ${scores[0]!.metrics[headline]!.toFixed(1)} (${folder})`);
    return outcome;
  } finally {
    tuned.dispose();
  }
}

/** Which of a file's entries is for a task: the only one, or that of its name. */
function entryOf({ file, tasks, entries }: { file: string; tasks: string[]; entries: number }, task: string): number {
  if (entries === 1) return 0;
  const entry = tasks.indexOf(task);
  if (entry < 0) throw new RunError(`${file} is for ${tasks.join(', ')}, not for ${task}`);
  return entry;
}

/** What the runs that are to be tested have trained, as far as it is there. */
function trainedFiles(config: EvalConfig): string[] {
  const { experiment, tasks, methods, seeds, multi_task, variant } = config;
  const ids = tasks.flatMap((task) =>
    methods.flatMap((name) => {
      const method = methodLabel({ method: name, multi_task, variant });
      return seeds.map((seed): RunId => ({ experiment, stage: 'eval', method, task, seed }));
    }),
  );
  return ids.flatMap((id) =>
    ifThere(() => {
      const checkpoint = finishedPrompt(locateAdapted(config, id));
      return checkpoint === undefined ? [] : [trainedFile(checkpoint)];
    }),
  );
}

/**
 * Evaluation: test scores of every adapted seed, or with `few_shot` the few-shot protocol, which adapts first.
 *
 * @returns one outcome per method, task and seed; run.json's results are `EvaluationResults`
 * @throws UserError when nothing is there to evaluate
 */
export async function evaluate(config: EvalConfig, context: Context): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  try {
    const what = config.few_shot === null ? 'eval: adapted runs' : 'eval: few-shot protocol';
    stageBanner(what, context, open, [
      ['methods', config.methods.join(', ')],
      ['tasks', config.tasks.join(', ')],
    ]);
    if (config.few_shot !== null) return await fewShot(config, config.few_shot, context, open);

    checkProvenanceOf(trainedFiles(config), open, config.data);
    const outcomes: RunOutcome[] = [];
    const missing: string[] = [];
    const lost: UserError[] = [];
    for (const task of config.tasks) {
      const prepared = await prepareTask(task, config.data, open.tokenizer, context.progress);
      const split = scoredSplit(config, prepared);
      const scored = { prepared, split, fingerprint: scoredFingerprint(prepared, split) };
      for (const method of config.methods) {
        const label = methodLabel({ method, multi_task: config.multi_task, variant: config.variant });
        for (const seed of config.seeds) {
          const id = { experiment: config.experiment, stage: 'eval', method: label, task, seed };
          const adapted = locateAdapted(config, id);
          const gone = lostPrompt(adapted);
          const checkpoint = gone === undefined ? finishedPrompt(adapted) : undefined;
          if (gone !== undefined) lost.push(gone);
          else if (checkpoint === undefined) missing.push(adapted);
          else if (!context.dry_run) {
            const own = configOfRun(config, { task, seed, method });
            outcomes.push(await evaluateRun(own, context, open, scored, { id, run: adapted, checkpoint }));
          }
          // The native engine never yields by itself; this lets signals through.
          await new Promise((resolve) => setImmediate(resolve));
          const signal = stopRequested();
          if (signal !== null) throw new StoppedError(signal, runFolder(config.out, id));
        }
      }
    }
    if (lost.length > 0 && outcomes.length === 0 && !context.dry_run) throw lost[0]!;
    if (missing.length > 0 && outcomes.length === 0 && !context.dry_run) {
      throw new UserError(`nothing to evaluate: there is no finished run in\n  ${missing.join('\n  ')}`, {
        hint: 'Adapt first: mpt adapt --task …, or ask for the few-shot protocol, which adapts by itself: mpt eval --few-shot 16.',
      });
    }
    for (const folder of missing) warn(`not evaluated, no finished run: ${folder}`);
    for (const { message, hint } of lost) warn(`not evaluated: ${message}. ${hint}`);
    return outcomes;
  } finally {
    disposeWeights(open.model.weights);
  }
}
