import { z, type ZodType } from 'zod';
import type { FileTask, Row, TemplateFamily } from './types.js';

/** Templates, splits and metrics of the tasks in this folder were read in these. */
export const ATTEMPT = 'AkariAsai/ATTEMPT b5121e5: attempt/data/tasks.py';
export const T5 = 'google-research/text-to-text-transfer-transformer e081111: t5/data/preprocessors.py';
export const DEPT = 'ZhengxiangShi/DePT f0266a7: src/tasks.py';
/** A fork of the MPT authors' code; its split rule and WSC are its own and not used here. */
export const MPT_FORK = 'XYaoooo/DPT 8f98d1e: data_utils.py';
export const HUB = 'Hugging Face hub: dataset card and dataset_infos.json';

/** Ends the notes of a task whose input form is in none of the sources. */
export const OWN_TEMPLATE =
  "No public code shows how the paper wrote this input; the template is this project's choice.";
/** T5's training mixture had no such task: its `t5` family is made in T5's style and is no more than that. */
export const UNKNOWN_TO_T5 =
  'T5 was not trained on this task; the t5 template only follows its style, with label words.';

/** A class id of a labelled row; -1 (the hub's hidden label) is not one. */
export function classId(labels: readonly string[]): z.ZodType<number> {
  const expected = labels.map((label, id) => `${id} (${label})`).join(' or ');
  return z
    .int({ error: expected })
    .min(0, { error: expected })
    .max(labels.length - 1, { error: expected });
}

type FileTaskSpec<R extends Row> = Omit<
  FileTask,
  'kind' | 'render' | 'nameInFront' | 'schema' | 'expand' | 'merge_key' | 'headline'
> & {
  headline?: FileTask['headline'];
  schema: ZodType<R>;
  /** First piece of the original T5 input, where that differs from `name_in_text`; null where it has none. */
  t5_name: string | null;
  /** The pieces after the task's name. */
  pieces: Record<TemplateFamily, (row: R) => string[]>;
  /** The class id of a row of a labelled task; default: its field `label`. */
  class_of?: (row: R) => number;
  /** Default: the class id as a digit (attempt), the label word (t5). */
  target?: Record<TemplateFamily, (row: R) => string>;
  references?: (row: R, template: TemplateFamily) => string[];
  group?: (row: R) => string;
  expand?: (row: R) => R[];
  merge_key?: (row: R) => string;
};

function labelTarget(id: number, labels: readonly string[] | undefined, template: TemplateFamily): string {
  const word = labels?.[id];
  if (word === undefined) throw new TypeError(`${id} is no class id of the labels ${labels?.join(', ') ?? '(none)'}`);
  return template === 'attempt' ? String(id) : word;
}

/**
 * A task of rows in files. The input is one line of text: the task's name (with `task_prefix`), then the pieces of
 * the template, joined by single spaces.
 */
export function defineFileTask<R extends Row>(spec: FileTaskSpec<R>): FileTask {
  const { t5_name, pieces, class_of, target, references, group, expand, merge_key, ...facts } = spec;
  const nameInFront = (template: TemplateFamily): string | null => (template === 't5' ? t5_name : spec.name_in_text);
  const classOf = class_of ?? ((row: R): number => Number(row['label']));
  return {
    kind: 'files',
    ...facts,
    headline: spec.headline ?? spec.metrics[0],
    nameInFront,
    ...(expand === undefined ? {} : { expand: (row: Row) => expand(row as R) }),
    ...(merge_key === undefined ? {} : { merge_key: (row: Row) => merge_key(row as R) }),
    render(row, { template, task_prefix }) {
      const typed = row as R;
      const name = nameInFront(template);
      const parts = pieces[template](typed);
      return {
        input: (task_prefix && name !== null ? [name, ...parts] : parts).join(' '),
        target: target === undefined ? labelTarget(classOf(typed), spec.labels, template) : target[template](typed),
        ...(references === undefined ? {} : { references: references(typed, template) }),
        ...(group === undefined ? {} : { group: group(typed) }),
      };
    },
  };
}

/** `"{field}: {text}"` for each field, in order. */
export function fieldPieces<K extends string>(...fields: K[]): (row: Record<K, string>) => string[] {
  return (row) => fields.map((field) => `${field}: ${row[field]}`);
}
