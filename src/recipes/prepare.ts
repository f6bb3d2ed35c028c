import { tokenizeExamples, type TruncationReport } from '../data/tokenized.js';
import type { TokenizedExample } from '../data/batch.js';
import { loadTask } from '../data/dataset.js';
import type { DataSection } from '../config/schema.js';
import { warn } from '../logging/console.js';
import type { OpenModel } from '../model/open.js';
import type { StoredPrompt } from '../prompts/file.js';
import { examplesFingerprint, promptFingerprint } from './fingerprint.js';
import type { Example, SplitName, Task } from '../tasks/types.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { UserError } from '../util/errors.js';
import { formatCount, formatPercent } from '../util/format.js';

/** One split of a task, as text and as token ids in the same order. */
export interface PreparedSplit {
  examples: Example[];
  rows: TokenizedExample[];
  truncation: TruncationReport;
}

export interface PreparedTask {
  task: Task;
  max_source_length: number;
  max_target_length: number;
  /** How rows became text; a prompt only fits the texts it was trained on. */
  rendering: Pick<DataSection, 'template' | 'task_prefix'>;
  split: (name: SplitName) => PreparedSplit;
  /** Examples of each split, without tokenising them. */
  size: (name: SplitName) => number;
  /** Of the rendered examples of all splits. */
  fingerprint: string;
}

/** Loads, renders and (split by split, when first asked for) tokenises a task as the config's `data` section says. */
export function prepareTask(name: string, data: DataSection, tokenizer: Tokenizer): PreparedTask {
  const { task, splits } = loadTask(name, { ...data, data_dir: data.data_dir ?? undefined });
  const max_source_length = data.max_source_length ?? task.max_source_length;
  const max_target_length = data.max_target_length ?? task.max_target_length;
  const prepared = new Map<SplitName, PreparedSplit>();
  return {
    task,
    max_source_length,
    max_target_length,
    rendering: { template: data.template, task_prefix: data.task_prefix },
    size: (splitName) => splits[splitName].length,
    fingerprint: examplesFingerprint(Object.values(splits)),
    split(splitName) {
      let split = prepared.get(splitName);
      if (split === undefined) {
        const examples = splits[splitName];
        if (examples.length === 0) throw new UserError(`task "${name}": the ${splitName} split has no examples`);
        const { rows, report } = tokenizeExamples(examples, tokenizer, { max_source_length, max_target_length });
        split = { examples, rows, truncation: report };
        prepared.set(splitName, split);
      }
      return split;
    },
  };
}

/** Sizes, truncation and an example of a task, for the banner. */
export function dataFacts(prepared: PreparedTask): [string, string][] {
  const { examples, rows, truncation } = prepared.split('train');
  const others = (['validation', 'test'] as const).map((name) => `${formatCount(prepared.size(name))} ${name}`);
  const cut = (count: number): string => formatPercent(count / truncation.n);
  return [
    ['data', `${formatCount(rows.length)} train, ${others.join(', ')}`],
    [
      'truncated',
      `${cut(truncation.source_truncated)} of inputs at ${prepared.max_source_length} tokens, ` +
        `${cut(truncation.target_truncated)} of targets at ${prepared.max_target_length}`,
    ],
    ['example', `${shorten(examples[0]!.input)} → ${shorten(examples[0]!.target)}`],
  ];
}

/** The beginning and the end of a long text; what stands between is not needed to see how it is made. */
function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 140)} … ${text.slice(-50)}`;
}

/** What a run on these tasks starts from, by name: the model, each task's data, and the prompt files given. */
export function inputsOf(
  open: OpenModel,
  tasks: readonly PreparedTask[],
  promptFiles: readonly string[],
): Record<string, string> {
  return {
    model: open.fingerprint,
    ...Object.fromEntries(tasks.map(({ task, fingerprint }) => [`data ${task.name}`, fingerprint])),
    ...Object.fromEntries(promptFiles.map((file) => [file, promptFingerprint(file)])),
  };
}

/** Metadata of a prompt file: what it was trained on. */
export function promptMetadata(open: OpenModel, rendering: PreparedTask['rendering']): Record<string, string> {
  return { model: open.fingerprint, template: rendering.template, task_prefix: String(rendering.task_prefix) };
}

/** Warns where a prompt was trained on another model, or on texts made in another way, than it is now used with. */
export function checkProvenance(stored: StoredPrompt, open: OpenModel, rendering: PreparedTask['rendering']): void {
  const now = promptMetadata(open, rendering);
  if (stored.metadata['model'] !== undefined && stored.metadata['model'] !== now['model']) {
    warn(`${stored.file} was trained on another model than ${open.folder}, or on other files of it`);
  }
  for (const key of ['template', 'task_prefix']) {
    const before = stored.metadata[key];
    if (before !== undefined && before !== now[key]) {
      warn(
        `${stored.file} was trained with data.${key} ${before}, but this config has ${now[key]}: it will not know these texts`,
      );
    }
  }
}
