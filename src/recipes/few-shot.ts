import type { EvalConfig, FewShotSection } from '../config/schema.js';
import { latestCheckpoint } from '../checkpoints/manager.js';
import type { OpenModel } from '../model/open.js';
import { countParameters } from '../model/weights.js';
import { promptBank, readPrompt } from '../prompts/file.js';
import { configOfRun } from '../runs/compare-config.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import type { Run } from '../runs/run-folder.js';
import { tokenRows } from '../data/rows.js';
import { drawFewShot } from '../samplers/few-shot.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import { adaptationStart } from './adapt.js';
import type { Context, RunOutcome } from './context.js';
import { execute } from './execute.js';
import { dataFacts, inputsOf, prepareTask, type PreparedTask } from './prepare.js';
import { promptTuningRun, type Method } from './prompt-tuning.js';
import { majorityScore, predictionLines, scoreOf } from './score.js';
import { scoredSplit, testPrompts } from './test-prompts.js';

/** Seed of one draw's initial values and data order. */
function memberSeed(seed: number, draw: number): number {
  return seed * 1000 + draw;
}

interface Draw {
  draw: number;
  /** Indices into the training split. */
  indices: number[];
}

/** Scores every draw's prompt on the scored split and writes predictions.jsonl and draws.json. */
async function testDraws(
  config: EvalConfig,
  context: Context,
  open: OpenModel,
  prepared: PreparedTask,
  run: Run,
  options: { label: string; shots: number; seed: number; draws: Draw[]; trainable: number },
): Promise<EvaluationResults> {
  const { draws, seed, shots } = options;
  const train = prepared.train();
  const ids = draws.map(({ draw, indices }) => ({ draw, ids: indices.map((index) => train.examples.get(index).id) }));
  writeFileAtomic(run.path('draws.json'), `${JSON.stringify(ids, null, 2)}\n`);

  const split = scoredSplit(config, prepared);
  const { checkpoint } = latestCheckpoint(run.path('checkpoints'));
  const bank = promptBank(readPrompt(checkpoint!.path, open.model.config.d_model)); // [draws, P, D]
  const where = { label: `${options.label}: test`, folder: run.folder };
  const answers = await testPrompts(config, context, open, prepared, split, bank, where).finally(() => bank.dispose());
  const lines = draws.flatMap(({ draw }, i) => predictionLines(prepared, split, answers[i]!, { draw }));
  const scores = draws.map(({ draw }, i) => ({ seed, draw, metrics: scoreOf(prepared, split, answers[i]!) }));
  writeFileAtomic(run.path('predictions.jsonl'), `${lines.join('\n')}\n`);
  return {
    split: config.split,
    examples: split.examples.length,
    shots,
    headline: prepared.task.headline,
    trainable_parameters: options.trainable,
    majority: majorityScore(prepared, split),
    scores,
  };
}

/**
 * The few-shot protocol (paper section 4.1): for each number of shots, many random training sets of k examples in all;
 * adapt to each, test each on the scored split, report mean and spread. There is no validation: k examples are all that
 * is known of the task, so every draw trains the same number of steps and its last prompt counts.
 *
 * The draws of one method and task train together as the members of one run, each with its own prompt, optimiser state,
 * clipping, data order and dropout over the one frozen model: the same arithmetic as one by one.
 */
export async function fewShot(
  config: EvalConfig,
  section: FewShotSection,
  context: Context,
  open: OpenModel,
): Promise<RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  for (const name of config.tasks) {
    const task = await prepareTask(name, config.data, open.tokenizer, context.progress);
    const train = task.train().examples.all();
    for (const shots of section.shots) {
      for (const seed of config.seeds) {
        const draws = Array.from({ length: section.draws }, (_, draw): Draw => ({
          draw,
          indices: drawFewShot(train, shots, seed, draw, { balanced: section.balanced }),
        }));
        const seeds = draws.map(({ draw }) => memberSeed(seed, draw));
        for (const method of config.methods) {
          const outcome = await fewShotRun(config, section, context, open, { task, shots, seed, draws, seeds, method });
          if (outcome) outcomes.push(outcome);
        }
      }
    }
  }
  return outcomes;
}

function fewShotRun(
  config: EvalConfig,
  section: FewShotSection,
  context: Context,
  open: OpenModel,
  run: { task: PreparedTask; shots: number; seed: number; draws: Draw[]; seeds: number[]; method: Method },
): Promise<RunOutcome | null> {
  const { task, shots, seed, draws, seeds, method } = run;
  const name = task.task.name;
  const { rows } = task.train();
  const start = adaptationStart(open, method, config, seeds, seed);
  const label = `few-shot ${shots} ${name}, ${method}, seed ${seed}, ${draws.length} draws`;
  return execute(context, {
    stage: 'eval',
    out: config.out,
    id: { experiment: config.experiment, stage: `few-shot-${shots}`, method, task: name, seed },
    config: { ...configOfRun(config, { task: name, seed, method }), few_shot: { ...section, shots: [shots] } },
    model_parameters: countParameters(open.model.weights),
    inputs: inputsOf(open, [task], start.files),
    facts: () => [
      ...dataFacts(task, section.train),
      ['draws', `${draws.length} of ${shots} examples, trained together`],
      ['starts from', start.from],
    ],
    spec: () =>
      promptTuningRun(open, {
        label,
        method,
        task,
        members: draws.map(({ indices }) => tokenRows(indices.map((index) => rows.get(index)))),
        seeds,
        train: section.train,
        rows_per_pass: section.rows_per_pass,
        optim: section.optim[method],
        initial: start.initial,
        frozen: start.frozen,
        validate: false,
      }),
    results: async (open_run, { trainable }) => ({
      ...(await testDraws(config, context, open, task, open_run, {
        label,
        shots,
        seed,
        draws,
        trainable,
      })),
    }),
  });
}
