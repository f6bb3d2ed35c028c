import { resolve } from 'node:path';
import { makeBatch } from '../data/batch.js';
import { exampleTokenizer } from '../data/tokenized.js';
import { tf } from '../engines/tf.js';
import { rowLosses } from '../losses/cross-entropy.js';
import type { DecodeOptions, Predictor } from '../methods/predictor.js';
import { openTuned, type Tuned } from '../methods/stored.js';
import { openModel, type OpenModel } from '../model/open.js';
import { disposeWeights } from '../model/weights.js';
import { findTask } from '../tasks/registry.js';
import { TEMPLATE_FAMILIES, type RenderOptions, type Task } from '../tasks/types.js';
import { batchTensors } from '../train/batch-tensors.js';
import { suggestion, UserError } from '../util/errors.js';
import { lineInput, rowInput } from './predict-input.js';
import type { Answering } from './predict-source.js';

/** An answer, and what the model read for it. */
export interface TextAnswer {
  input: string;
  output: string;
  /** The label that the output stands for, or is; absent where it is none. */
  label?: string;
  /** Natural logarithm of its probability, its end included (where it came to one); there if it was asked for. */
  score?: number;
}

export interface TextPredictorOptions {
  /** See `modelOf`. */
  model: string;
  /** Which of the tasks that were trained together; or the task of a file that does not say it. */
  task: string | null;
  /** Which of the few-shot draws. */
  draw: number | null;
  num_beams: number;
  /** Also say how probable each answer is; a second pass over the model. */
  scores: boolean;
  /** Null for the run's or the task's own. */
  max_new_tokens: number | null;
  /** Told once of each thing a person should know. */
  onNote: (text: string) => void;
}

/** Answers texts. Whoever opened it frees it. */
export interface TextPredictor {
  /** For people: what answers. */
  title: string;
  /** A line of text as the model is to read it. */
  line: (text: string) => string;
  /** A row of the task, as JSON. @throws UserError where it is not right, or no task is known */
  row: (text: string, where: string) => string;
  /** Answers in the order of the inputs, which are one batch. An empty input has an empty answer. */
  answer: (inputs: readonly string[]) => TextAnswer[];
  dispose: () => void;
}

// Of a prompt that does not say its task: as long as T5 was pre-trained on.
const MAX_SOURCE = 512;
const MAX_TARGET = 128;

/** The model that is asked for, else that of the run. @throws UserError where neither says one */
export function modelOf({ path, run }: Answering, asked: string | undefined): string {
  const model = asked ?? run?.model;
  if (model !== undefined) return model;
  throw new UserError(`${path} does not say which model it is for: it lies in no run`, {
    hint: 'Name the model it was trained on: --model bundled, --model google-t5/t5-base, or a folder.',
  });
}

/**
 * Opens a model and what was trained on it. An engine must run.
 *
 * @throws UserError when they do not fit together, or which task or draw is meant is not clear
 */
export async function openTextPredictor(found: Answering, options: TextPredictorOptions): Promise<TextPredictor> {
  const open = await openModel(options.model);
  let tuned: Tuned | undefined;
  try {
    tuned = openTuned(found.path, open.model);
    return textPredictor(found, open, tuned, options);
  } catch (error) {
    tuned?.dispose();
    disposeWeights(open.model.weights);
    throw error;
  }
}

function textPredictor(
  { run }: Answering,
  open: OpenModel,
  tuned: Tuned,
  options: TextPredictorOptions,
): TextPredictor {
  const { file, method, metadata } = tuned;
  if (metadata['model'] !== undefined && metadata['model'] !== open.fingerprint) {
    options.onNote(`${file} was trained on another model than ${open.folder}, or on other files of it`);
  }
  const { task, entry } = chosen(tuned, options);
  const rendering = renderingOf(tuned, run?.data);
  const limits = {
    max_source_length: run?.data.max_source_length ?? task?.max_source_length ?? MAX_SOURCE,
    max_target_length: run?.data.max_target_length ?? task?.max_target_length ?? MAX_TARGET,
  };
  const decoding: DecodeOptions = {
    num_beams: options.num_beams,
    max_new_tokens: options.max_new_tokens ?? limits.max_target_length,
    labels: expectedAnswers(task, rendering, open.tokenizer),
  };
  let saidCut = false;
  const ask = (inputs: readonly string[]): Omit<TextAnswer, 'input'>[] => {
    const { example, report } = exampleTokenizer(open.tokenizer, limits);
    const sources = inputs.map((input) => example({ input, target: '' }).source);
    if (report.source_truncated > 0 && !saidCut) {
      saidCut = true;
      options.onNote(`inputs lose their end at ${limits.max_source_length} tokens, as in training; this is said once`);
    }
    const asked = { sources, entry, decoding, scores: options.scores };
    return askModel(tuned.predictor, asked).map(({ ids, score }) => {
      const output = open.tokenizer.decode(ids).trim();
      const label = labelOf(output, task);
      return { output, ...(label !== undefined && { label }), ...(score !== undefined && { score }) };
    });
  };
  return {
    title: [method, task?.name, file].filter((part) => part !== undefined).join(', '),
    line: (text) => (text.trim() === '' ? '' : lineInput(text, task, rendering)),
    row(text, where) {
      if (task !== null) return rowInput(text, where, task, rendering);
      throw new UserError(`${file} does not say which task its rows are of`, { hint: 'Name it: --task boolq.' });
    },
    answer(inputs) {
      const asked = inputs.filter((input) => input !== '');
      const answers = asked.length === 0 ? [] : ask(asked);
      let next = 0;
      return inputs.map((input) => ({ input, ...(input === '' ? { output: '' } : answers[next++]!) }));
    },
    dispose() {
      tuned.dispose();
      disposeWeights(open.model.weights);
    },
  };
}

interface Asked {
  /** Token ids of the inputs, EOS included. */
  sources: readonly Int32Array[];
  entry: number;
  decoding: DecodeOptions;
  scores: boolean;
}

/** One batch. */
function askModel(
  predictor: Predictor,
  { sources, entry, decoding, scores }: Asked,
): { ids: number[]; score?: number }[] {
  return tf.tidy(() => {
    const entries = new Int32Array(sources.length).fill(entry);
    const empty = new Int32Array();
    const { input_ids, attention_mask } = batchTensors(
      makeBatch(sources.map((source) => ({ source, target: empty }))),
      null,
    );
    const rows = { input_ids, attention_mask, entries };
    const answers = predictor.decode(rows, decoding);
    if (!scores) return answers.map((ids) => ({ ids }));
    const forced = makeBatch(answers.map((ids, i) => ({ source: sources[i]!, target: Int32Array.from(ids) })));
    const logits = predictor.logits(rows, batchTensors(forced, null).decoder_input_ids);
    const weights = Float32Array.from(forced.labels, (label) => (label >= 0 ? 1 : 0));
    const losses = rowLosses(logits, forced.labels, weights).dataSync();
    return answers.map((ids, i) => ({ ids, score: -losses[i]! }));
  });
}

/** Which entry answers, and for which task. @throws UserError where that is not clear */
function chosen(tuned: Tuned, { task, draw, onNote }: TextPredictorOptions): { task: Task | null; entry: number } {
  const { file, entries, tasks } = tuned;
  const perTask = tasks.length > 1;
  if (perTask && draw !== null) throw new UserError(`${file} holds no draws of the few-shot protocol`);
  if (perTask) {
    if (task === null) {
      throw new UserError(`${file} was trained on ${tasks.length} tasks together; one has to be chosen`, {
        hint: `For instance: --task ${tasks[0]}. It knows: ${tasks.join(', ')}.`,
      });
    }
    // Where all tasks share everything, any other may be tried too.
    const entry = entries === 1 ? 0 : tasks.indexOf(task);
    if (entry >= 0) return { task: findTask(task), entry };
    throw new UserError(`${file} was not trained on the task ${task}. ${suggestion(task, tasks)}`);
  }
  const [own] = tasks;
  const name = task ?? own;
  if (task !== null && own !== undefined && task !== own) {
    onNote(`${file} was trained on ${own}; texts and answers are taken for those of ${task}`);
  }
  return { task: name === undefined ? null : findTask(name), entry: drawEntry(tuned, draw) };
}

function drawEntry({ file, entries }: Tuned, draw: number | null): number {
  if (entries === 1) {
    // A draw that is a run of its own has named its folder.
    const own = Number(/(?:^|[\\/])draw-(\d+)[\\/]/.exec(resolve(file))?.[1] ?? 0);
    if (draw === null || draw === own) return 0;
    throw new UserError(`${file} holds no draw ${draw} of the few-shot protocol`);
  }
  if (draw !== null && draw < entries) return draw;
  const wrong = draw === null ? 'one has to be chosen' : `there is no draw ${draw}`;
  throw new UserError(`${file} holds ${entries} draws, with the numbers 0 to ${entries - 1}; ${wrong}`, {
    hint: 'For instance: --draw 0',
  });
}

/** How its texts were made, as the file itself says; else as the run's config does. */
function renderingOf({ metadata }: Tuned, data: RenderOptions | undefined): RenderOptions {
  const template = TEMPLATE_FAMILIES.find((family) => family === metadata['template']);
  return {
    template: template ?? data?.template ?? 'attempt',
    task_prefix:
      metadata['task_prefix'] === undefined ? (data?.task_prefix ?? true) : metadata['task_prefix'] === 'true',
  };
}

/** Digits stand for labels in the template "attempt", but for the tasks that are made from WordNet. */
function expectedAnswers(
  task: Task | null,
  { template }: RenderOptions,
  tokenizer: OpenModel['tokenizer'],
): number[][] {
  if (task?.labels === undefined) return [];
  const digits = template === 'attempt' && task.kind === 'files';
  return task.labels.map((word, id) => [...tokenizer.encode(digits ? String(id) : word), tokenizer.eos_id]);
}

/** The label that an answer says by its word or, in digits, by its class id. */
function labelOf(output: string, task: Task | null): string | undefined {
  const { labels = [] } = task ?? {};
  if (labels.includes(output)) return output;
  return /^(?:0|[1-9]\d*)$/.test(output) ? labels[Number(output)] : undefined;
}
