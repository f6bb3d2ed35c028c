import { join } from 'node:path';
import type { EvalConfig } from '../config/schema.js';
import { startProgress } from '../logging/progress.js';
import { log, paint, warn } from '../logging/console.js';
import { openModel, type OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { promptBank, readPrompt } from '../prompts/file.js';
import { runFolder, type RunId } from '../runs/paths.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import { readRecord } from '../runs/record.js';
import { isFinished, openRun } from '../runs/run-folder.js';
import { predict } from '../train/predict.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { UserError } from '../util/errors.js';
import { stageBanner, StoppedError, type Context, type RunOutcome } from './context.js';
import { fewShot } from './few-shot.js';
import { finishedPrompt } from './locate.js';
import { prepareTask, type PreparedTask } from './prepare.js';
import { majorityScore, predictionLines, scoreOf } from './score.js';
import { stopRequested } from '../util/signals.js';

/** Test scores of one adapted prompt, in a folder of the eval stage beside its predictions. */
function evaluateRun(
  config: EvalConfig,
  context: Context,
  open: OpenModel,
  prepared: PreparedTask,
  id: RunId,
  prompt: string,
): RunOutcome {
  const folder = runFolder(config.out, id);
  const file = join(prompt, 'prompt.safetensors');
  const stored = readPrompt(file, open.model.config.d_model);
  const before = readRecord(folder);
  const fresh = !context.force && isFinished(folder, config) && before?.results['prompt'] === file;
  const adapted = readRecord(runFolder(config.out, { ...id, stage: 'adapt' }))!;
  if (fresh && before.results['adapted'] === adapted.timings.ended) {
    log(`${paint.green('✓')} eval ${id.method} ${id.task} seed ${id.seed}: finished already (${folder})`);
    return { id, folder, skipped: true, record: before };
  }
  const run = openRun(config.out, { stage: 'eval', config, id, engine: context.engine, force: before !== undefined });
  try {
    const split = prepared.split(config.split);
    const count = Math.min(config.max_examples ?? Infinity, split.rows.length);
    const part = { ...split, examples: split.examples.slice(0, count), rows: split.rows.slice(0, count) };
    const bank = promptBank(stored);
    const label = `eval ${id.method} ${id.task}, seed ${id.seed}`;
    const progress = startProgress({ label, total: count, mode: context.progress });
    let predictions: string[];
    try {
      predictions = predict(
        open.model,
        open.tokenizer,
        part.rows,
        bank,
        part.rows.map(() => 0),
        {
          batch_size: config.batch_size,
          max_new_tokens: prepared.max_target_length,
          num_beams: config.decode.num_beams,
          onProgress: (done) => progress.update(done),
        },
      );
    } finally {
      progress.stop();
      bank.dispose();
    }
    writeFileAtomic(run.path('predictions.jsonl'), `${predictionLines(prepared, part, predictions).join('\n')}\n`);
    const results: EvaluationResults = {
      split: config.split,
      examples: count,
      shots: null,
      headline: prepared.task.headline,
      trainable_parameters: adapted.parameters?.trainable ?? 0,
      majority: majorityScore(prepared, part),
      scores: [{ seed: id.seed, draw: null, metrics: scoreOf(prepared, part, predictions) }],
    };
    run.finish({ results: { prompt: file, adapted: adapted.timings.ended, ...results } });
    log(
      `${paint.green('✓')} ${label}: ${prepared.task.headline} ${results.scores[0]!.metrics[prepared.task.headline]!.toFixed(1)} (${folder})`,
    );
    return { id, folder, skipped: false, record: run.record };
  } catch (error) {
    run.fail(error);
    throw error;
  }
}

/**
 * Evaluation: test scores of every adapted seed, or with `few_shot` the few-shot protocol, which adapts first.
 *
 * @returns one outcome per method, task and seed; run.json's results are `EvaluationResults`
 * @throws UserError when nothing is there to evaluate
 */
export async function evaluate(config: EvalConfig, context: Context): Promise<RunOutcome[]> {
  const open = openModel(config.model);
  try {
    const what = config.few_shot === null ? 'eval: adapted prompts' : 'eval: few-shot protocol';
    stageBanner(what, context, open, [
      ['methods', config.methods.join(', ')],
      ['tasks', config.tasks.join(', ')],
    ]);
    if (config.few_shot !== null) return await fewShot(config, config.few_shot, context, open);

    const outcomes: RunOutcome[] = [];
    const missing: string[] = [];
    for (const task of config.tasks) {
      const prepared = prepareTask(task, config.data, open.tokenizer);
      for (const method of config.methods) {
        for (const seed of config.seeds) {
          const id = { experiment: config.experiment, stage: 'eval', method, task, seed };
          const adaptFolder = runFolder(config.out, { ...id, stage: 'adapt' });
          const prompt = finishedPrompt(adaptFolder);
          if (prompt === undefined) missing.push(adaptFolder);
          else if (!context.dry_run) {
            outcomes.push(
              evaluateRun(
                { ...config, tasks: [task], methods: [method], seeds: [seed] },
                context,
                open,
                prepared,
                id,
                prompt,
              ),
            );
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
