import { createReadStream, existsSync, statSync } from 'node:fs';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { allowCpuOption, engineOption, threadsOption } from '../engines/options.js';
import { startEngine } from '../engines/select.js';
import { log, paint, warn } from '../logging/console.js';
import { adaptedRun, findAnswering } from '../recipes/predict-source.js';
import { modelOf, openTextPredictor, type TextAnswer, type TextPredictor } from '../recipes/predict-text.js';
import { knownTaskNames } from '../tasks/known-tasks.js';
import { UserError } from '../util/errors.js';
import { lineBatches, type Line } from './predict-lines.js';
import { fromOne, wholeNumber } from './stage-options.js';
import { plural } from '../util/format.js';

const HELP = `
Input: one text a line, as the task's template ends up, from the arguments, --input or stdin. The task's name is put in
front where the texts of the training had it there and the line has not. With --rows each line is a JSON object with the
task's fields instead (mpt ls tasks NAME shows them); it need not hold the answer. From a pipe, answers come as soon as
the input pauses. An empty line has an empty answer.

Output: one line an answer, in the order of the input; with --json {"input", "output", "label", "score"}: input is what
the model read, label is there if the answer says one, and score with --scores.

Examples:
  $ mpt predict --prompt runs/demo/adapt/mpt/wn_living/seed-1 "a large cat of the plains of Africa"
  $ mpt predict --task boolq --experiment mine --input questions.txt > answers.txt
  $ jq -c '{question, passage}' rows.jsonl | mpt predict --task boolq --rows --json
  $ mpt predict --prompt runs/demo/few-shot-16/mpt/wn_living/seed-1 --draw 3 < texts.txt`;

function seedNumber(text: string): number {
  const seed = wholeNumber(text);
  if (!Number.isSafeInteger(seed)) throw new InvalidArgumentError('That is no seed.');
  return seed;
}

/** `mpt predict`: texts in, answers out. */
export function predictCommand() {
  return new Command('predict')
    .description('answer texts with an adapted prompt, or whatever else was trained')
    .argument('[texts...]', 'texts to answer (default: those of --input or stdin)')
    .option('-p, --prompt <path>', 'what answers: a run, one of its checkpoints, or a file of trained tensors')
    .option('-t, --task <name>', 'instead: the adapted run of this task; with --prompt, which of several tasks')
    .option('--method <label>', 'of which method, as its folder is called (default: mpt)')
    .option('-s, --seed <number>', 'of which seed (default: 1)', seedNumber)
    .option('--experiment <name>', 'in which experiment (default: the only one that has such a run)')
    .option('-o, --out <dir>', 'in which folder of results (default: runs)')
    .option('--draw <n>', 'which draw of the few-shot protocol, from 0', wholeNumber)
    .option('-m, --model <model>', 'the model, if not the one that the run names')
    .option(
      '--tasks-dir <dir>',
      'folder of YAML files that define tasks of your own, if not the one that the run names',
    )
    .option('-i, --input <file>', 'texts to answer, one a line; "-" is stdin')
    .option('--rows', 'inputs are JSON objects with the fields of the task')
    .option('--json', 'print a JSON object a line')
    .option('--scores', 'with --json, also the log-probability of each answer (a second pass over the model)')
    .option('--batch-size <n>', 'texts at once', fromOne, 32)
    .option('--max-new-tokens <n>', "longest answer in tokens (default: the task's)", fromOne)
    .option('--num-beams <n>', '1 is greedy decoding', fromOne, 1)
    .addOption(engineOption())
    .addOption(allowCpuOption())
    .addOption(threadsOption())
    .addHelpText('after', HELP)
    .action((texts, options) => predictTexts(texts, options));
}

interface PredictOptions {
  prompt?: string | undefined;
  task?: string | undefined;
  method?: string | undefined;
  seed?: number | undefined;
  experiment?: string | undefined;
  out?: string | undefined;
  draw?: number | undefined;
  model?: string | undefined;
  tasksDir?: string | undefined;
  input?: string | undefined;
  rows?: true | undefined;
  json?: true | undefined;
  scores?: true | undefined;
  batchSize: number;
  maxNewTokens?: number | undefined;
  numBeams: number;
  engine: Parameters<typeof startEngine>[0]['engine'];
  allowCpu?: true | undefined;
  threads?: number | undefined;
}

async function predictTexts(texts: readonly string[], options: PredictOptions): Promise<void> {
  if (options.scores && !options.json) throw new UserError('--scores are printed with --json only.');
  const found = findAnswering(pathOf(options), options.draw ?? null);
  knownTaskNames(options.tasksDir ?? found.run?.data.tasks_dir ?? null);
  const model = modelOf(found, options.model);
  const input = openInput(texts, options);
  if (found.note !== null) warn(found.note);
  try {
    const { engine, allowCpu, threads } = options;
    const info = await startEngine({ engine, threads, allow_cpu: allowCpu === true });
    log(`${info.name} on ${info.device}, ${plural(info.threads, 'thread')}`);
    const predictor = await openTextPredictor(found, {
      model,
      task: options.task ?? null,
      draw: options.draw ?? null,
      num_beams: options.numBeams,
      scores: options.scores === true,
      max_new_tokens: options.maxNewTokens ?? null,
      onNote: warn,
    });
    try {
      log(paint.dim(predictor.title));
      if (input.stream === process.stdin && process.stdin.isTTY) log('A text a line; Ctrl-D ends.');
      const size = options.batchSize;
      const batches = input.stream === null ? inBatches(texts, size) : lineBatches(input.stream, { ...input, size });
      for await (const lines of batches) await answerLines(lines, predictor, input.name, options);
    } finally {
      predictor.dispose();
    }
  } finally {
    input.stream?.destroy(); // stdin would keep the process waiting
  }
}

/** The folder or file that --prompt names, or that --task and its companions find. */
function pathOf({ prompt, task, method, seed, experiment, out }: PredictOptions): string {
  if (prompt !== undefined) {
    const others = Object.entries({ method, seed, experiment, out }).filter(([, value]) => value !== undefined);
    if (others.length === 0) return prompt;
    const names = others.map(([name]) => `--${name}`).join(', ');
    throw new UserError(`--prompt says already what answers; ${names} would find it by --task.`);
  }
  if (task === undefined) {
    throw new UserError('What is to answer? Neither --prompt nor --task was given.', {
      hint: 'For instance: mpt predict --prompt runs/demo/adapt/mpt/wn_living/seed-1',
    });
  }
  return adaptedRun({
    out: out ?? 'runs',
    experiment,
    method: method ?? 'mpt',
    task,
    seed: seed ?? 1,
  });
}

/** Where lines come from; null for the arguments. */
interface Input {
  stream: Readable | null;
  name: string;
  patient: boolean;
}

function openInput(texts: readonly string[], { input }: PredictOptions): Input {
  if (texts.length > 0) {
    if (input === undefined) return { stream: null, name: 'argument', patient: true };
    throw new UserError('Texts were given as arguments, and --input too; one of them is enough.');
  }
  if (input === undefined || input === '-') return { stream: process.stdin, name: 'stdin', patient: false };
  if (!existsSync(input)) throw new UserError(`there is no file ${input}`);
  const stats = statSync(input);
  if (stats.isDirectory()) throw new UserError(`--input ${input} is a folder; a text file is needed`);
  return { stream: createReadStream(input), name: input, patient: stats.isFile() };
}

function* inBatches(texts: readonly string[], size: number): Generator<Line[]> {
  for (let start = 0; start < texts.length; start += size) {
    yield texts.slice(start, start + size).map((text, i) => ({ text, number: start + i + 1 }));
  }
}

/** Answers lines up to the first that is wrong, and then throws what is wrong with it. */
async function answerLines(
  lines: readonly Line[],
  predictor: TextPredictor,
  name: string,
  { rows, json }: PredictOptions,
): Promise<void> {
  const inputs: string[] = [];
  let failure: UserError | undefined;
  for (const { text, number } of lines) {
    if (rows && text.trim() === '') continue; // between rows; it stands for none
    try {
      inputs.push(rows ? predictor.row(text, `${name}:${number}`) : predictor.line(text));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failure = error;
      break;
    }
  }
  const answers = predictor.answer(inputs);
  const written = answers.map((answer) => `${json ? JSON.stringify(answer) : oneLine(answer)}\n`).join('');
  // A reader that is slower than the model must not make this process grow.
  if (written !== '' && !process.stdout.write(written)) await once(process.stdout, 'drain');
  if (failure !== undefined) throw failure;
}

function oneLine({ output }: TextAnswer): string {
  return output.replace(/\s*[\r\n]+\s*/g, ' ');
}
