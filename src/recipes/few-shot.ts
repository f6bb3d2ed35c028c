import { dirname } from 'node:path';
import type { EvalConfig, FewShotSection } from '../config/schema.js';
import { latestWhole } from '../checkpoints/manager.js';
import { log } from '../logging/console.js';
import { isPromptMethod, methodLabel, type MethodName } from '../methods/names.js';
import { openTuned } from '../methods/stored.js';
import type { OpenModel } from '../model/open.js';
import { countParameters } from '../model/weights.js';
import { configOfRun } from '../runs/compare-config.js';
import type { EvaluationResults } from '../runs/evaluation-results.js';
import { writeDraws, type DrawRecord } from '../runs/draws.js';
import { drawName, drawOfName, fewShotStage, type RunId } from '../runs/paths.js';
import type { Run } from '../runs/run-folder.js';
import { foldersIn } from '../runs/status.js';
import { tokenRows } from '../data/rows.js';
import { drawFewShot } from '../samplers/few-shot.js';
import { writeFileAtomic } from '../util/atomic-write.js';
import type { Context, RunOutcome } from './context.js';
import { execute } from './execute.js';
import { dataFacts, eachOnce, inputsOf, prepareTask, type Lines, type PreparedTask } from './prepare.js';
import { checkProvenanceOf } from './provenance.js';
import { majorityScore, predictionLines, scoreOf } from './score.js';
import { adaptationStart, builtOn, entrySeed } from './start.js';
import { scoredSplit, testEntries } from './test-entries.js';
import { tuningRun } from './tuning.js';
import { sayVariant } from './variant.js';

interface Draw {
  draw: number;
  /** Indices into the training split. */
  indices: number[];
}

/** One number of shots on one task. */
interface Shots {
  task: PreparedTask;
  shots: number;
  seed: number;
  /** See `eachOnce`, for the banners of its runs. */
  unsaid: (lines: Lines) => Lines;
}

function drawRecords(task: PreparedTask, draws: readonly Draw[]): DrawRecord[] {
  const { examples } = task.train();
  return draws.map(({ draw, indices }) => ({ draw, ids: indices.map((index) => examples.get(index).id) }));
}

/** Scores every draw on the scored split and writes predictions.jsonl and draws.json. */
async function testDraws(
  config: EvalConfig,
  context: Context,
  open: OpenModel,
  run: Run,
  { task: prepared, shots, seed }: Shots,
  options: { label: string; draws: readonly Draw[]; trainable: number },
): Promise<EvaluationResults> {
  const { draws } = options;
  writeDraws(run.folder, drawRecords(prepared, draws));

  const split = scoredSplit(config, prepared);
  const { checkpoint } = latestWhole(run.path('checkpoints'));
  const tuned = openTuned(checkpoint!.path, open.model); // an entry for each draw
  const by = { predictor: tuned.predictor, tokenizer: open.tokenizer, entries: draws.map((_, entry) => entry) };
  const where = { label: `${options.label}: test`, folder: run.folder };
  const answers = await testEntries(config, context, prepared, split, by, where).finally(() => tuned.dispose());
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
 * With prompts, the draws of one method and task train together as the members of one run, each with its own prompt,
 * optimiser state, clipping, data order and dropout over the one frozen model: the same arithmetic as one by one. Where
 * the model's weights change (adapter, bitfit, finetune) every draw is a run of its own.
 */
export async function fewShot(
  config: EvalConfig,
  section: FewShotSection,
  context: Context,
  open: OpenModel,
): Promise<RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  const stages = section.shots.map(fewShotStage);
  // What spot compares with, this command may tune itself.
  sayVariant(config.methods, config, config.methods.includes('pt') ? [] : stages, context);
  const targets = stages.flatMap((stage) => config.tasks.map((task) => ({ task, stage })));
  const startedFrom = config.methods.flatMap((method) => builtOn(method, config, targets, config.seeds));
  checkProvenanceOf(startedFrom, open, config.data);
  for (const name of config.tasks) {
    const task = await prepareTask(name, config.data, open.tokenizer, context.progress);
    const train = task.train().examples.all();
    const unsaid = eachOnce();
    for (const shots of section.shots) {
      for (const seed of config.seeds) {
        const draws = Array.from({ length: section.draws }, (_, draw): Draw => ({
          draw,
          indices: drawFewShot(train, shots, seed, draw, { balanced: section.balanced }),
        }));
        for (const method of inOrder(config.methods)) {
          const together = isPromptMethod(method);
          for (const [i, part] of (together ? [draws] : draws.map((draw) => [draw])).entries()) {
            const outcome = await fewShotRun(
              config,
              section,
              context,
              open,
              { task, shots, seed, unsaid },
              method,
              part,
            );
            if (outcome) outcomes.push(outcome);
            // Not before the first: a config that is refused asks for nothing.
            if (!together && i === 0 && outcome && !context.dry_run) {
              askFor(dirname(outcome.folder), task, draws, `${name}, ${outcome.id.method}, seed ${seed}`);
            }
          }
        }
      }
    }
  }
  return outcomes;
}

/** Writes down which draws count from now on. Those of an earlier evaluation stay; the person is told. */
function askFor(folder: string, task: PreparedTask, draws: readonly Draw[], label: string): void {
  writeDraws(folder, drawRecords(task, draws));
  const asked = draws.map(({ draw }) => drawName(draw));
  const more = foldersIn(folder).filter((name) => drawOfName(name) !== null && !asked.includes(name));
  if (more.length > 0) {
    log(
      `${label}: ${more.join(', ')} from earlier ${more.length === 1 ? 'stays' : 'stay'} in ${folder}, not counted now`,
    );
  }
}

/** spot looks for its sources with the prompts that pt tunes on the same draws: pt goes before it. */
function inOrder(methods: readonly MethodName[]): MethodName[] {
  return [...methods].sort((a, b) => Number(a === 'spot') - Number(b === 'spot'));
}

/** Trains and tests some draws of one method: all of them, or the one that is a run of its own. */
function fewShotRun(
  config: EvalConfig,
  section: FewShotSection,
  context: Context,
  open: OpenModel,
  of: Shots,
  method: MethodName,
  draws: readonly Draw[],
): Promise<RunOutcome | null> {
  const { task, shots, seed, unsaid } = of;
  const name = task.task.name;
  const { rows } = task.train();
  const stage = fewShotStage(shots);
  const methodName = methodLabel({ method, multi_task: false, variant: config.variant });
  const together = isPromptMethod(method);
  const id: RunId = { experiment: config.experiment, stage, method: methodName, task: name, seed };
  const seeds = draws.map(({ draw }) => entrySeed(seed, draw));
  const entries = { seeds, tasks: false, target: { task: name, stage } };
  // A run of one draw is told by its own seed what it draws at random; a run of several, what it builds on.
  const start = adaptationStart(open, method, config, entries, together ? seed : seeds[0]!);
  const what = together ? `${draws.length} draws` : `draw ${draws[0]!.draw}`;
  const label = `few-shot ${shots} ${name}, ${methodName}, seed ${seed}, ${what}`;
  return execute(context, {
    stage: 'eval',
    out: config.out,
    id: together ? id : { ...id, draw: draws[0]!.draw },
    config: {
      ...configOfRun(config, { task: name, seed, method }),
      // Which draw it is, is in the folder; how many there are makes no difference to it.
      few_shot: { ...section, shots: [shots], ...(together ? {} : { draws: 1 }) },
    },
    model_parameters: countParameters(open.model.weights),
    inputs: inputsOf(open, [task], start.files),
    facts: () => [
      ...unsaid(dataFacts(task, section.train)),
      ['draws', together ? `${draws.length} of ${shots} examples, trained together` : `${what} of ${shots} examples`],
      ['starts from', start.from],
    ],
    spec: () =>
      tuningRun(open, {
        label,
        method,
        start,
        task,
        members: draws.map(({ indices }) => tokenRows(indices.map((index) => rows.get(index)))),
        seeds,
        train: section.train,
        rows_per_pass: section.rows_per_pass,
        optim: section.optim[method],
        logging: config.logging,
        validate: false,
      }),
    results: async (run, { trainable }) => ({
      ...(await testDraws(config, context, open, run, of, { label, draws, trainable })),
    }),
  });
}
