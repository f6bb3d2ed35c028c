import { trainedFile } from '../checkpoints/manager.js';
import type { EvalConfig } from '../config/schema.js';
import { log, paint, warn } from '../logging/console.js';
import { methodLabel } from '../methods/names.js';
import { openTuned } from '../methods/stored.js';
import { openModel, type OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { runFolder, separateTasks, type RunId } from '../runs/paths.js';
import { configOfRun } from '../runs/compare-config.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import { readRecord } from '../runs/record.js';
import { isFinished, openRun } from '../runs/run-folder.js';
import { watchMemory } from '../train/meter.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { RunError, UserError } from '../util/errors.js';
import { concludeRun, stageBanner, type Context, type RunOutcome } from './context.js';
import { fewShot } from './few-shot.js';
import { finishedPrompt, locateAdapted } from './locate.js';
import { checkProvenance, prepareTask, type PreparedTask } from './prepare.js';
import { majorityScore, predictionLines, scoreOf } from './score.js';
import { scoredSplit, testEntries } from './test-entries.js';
import { StoppedError, stopRequested } from '../util/signals.js';

/** An adapted run to test on one task. */
interface Adapted {
  /** Of the evaluation. */
  id: RunId;
  /** Folder of the adapted run, and of its final checkpoint. */
  run: string;
  checkpoint: string;
}

/** Test scores of one adapted run on one task, in a folder of the eval stage beside its predictions. */
async function evaluateRun(
  config: EvalConfig,
  context: Context,
  open: OpenModel,
  prepared: PreparedTask,
  { id, run: adaptedFolder, checkpoint }: Adapted,
): Promise<RunOutcome> {
  const folder = runFolder(config.out, id);
  const file = trainedFile(checkpoint);
  const before = context.force ? undefined : readRecord(folder);
  const adapted = readRecord(adaptedFolder)!;
  // The same adapted run, not another one that has since been trained in its place.
  const same = before?.results['prompt'] === file && before.results['adapted'] === adapted.timings.ended;
  if (!context.force && same && isFinished(folder, config)) {
    log(`${paint.green('✓')} eval ${id.method} ${id.task} seed ${id.seed}: finished already (${folder})`);
    return { id, folder, skipped: true, record: before };
  }
  const tuned = openTuned(checkpoint, open.model);
  try {
    checkProvenance(tuned, open, prepared.rendering);
    const entry = entryOf(tuned, id.task);
    const force = context.force || (before?.results['prompt'] !== undefined && !same);
    const run = openRun(config.out, { stage: 'eval', config, id, engine: context.engine, force });
    const memory = watchMemory();
    const label = `eval ${id.method} ${id.task}, seed ${id.seed}`;
    const work = async () => {
      const split = scoredSplit(config, prepared);
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
      return { prompt: file, adapted: adapted.timings.ended, ...memory.peaks(), ...results };
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

    const outcomes: RunOutcome[] = [];
    const missing: string[] = [];
    for (const task of config.tasks) {
      const prepared = await prepareTask(task, config.data, open.tokenizer, context.progress);
      for (const method of config.methods) {
        const label = methodLabel({ method, multi_task: config.multi_task, variant: config.variant });
        for (const seed of config.seeds) {
          const id = { experiment: config.experiment, stage: 'eval', method: label, task, seed };
          const adapted = locateAdapted(config, id);
          const checkpoint = finishedPrompt(adapted);
          if (checkpoint === undefined) missing.push(adapted);
          else if (!context.dry_run) {
            const own = configOfRun(config, { task, seed, method });
            outcomes.push(await evaluateRun(own, context, open, prepared, { id, run: adapted, checkpoint }));
          }
          // The native engine never yields by itself; this lets signals through.
          await new Promise((resolve) => setImmediate(resolve));
          const signal = stopRequested();
          if (signal !== null) throw new StoppedError(signal, runFolder(config.out, id));
        }
      }
    }
    if (missing.length > 0 && outcomes.length === 0 && !context.dry_run) {
      throw new UserError(`nothing to evaluate: there is no finished run in\n  ${missing.join('\n  ')}`, {
        hint: 'Adapt first: mpt adapt --task …, or ask for the few-shot protocol, which adapts by itself: mpt eval --few-shot 16.',
      });
    }
    for (const folder of missing) warn(`not evaluated, no finished run: ${folder}`);
    return outcomes;
  } finally {
    disposeWeights(open.model.weights);
  }
}
