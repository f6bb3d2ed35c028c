import { z, type ZodType } from 'zod';
import type { FileTask, Row, TemplateFamily } from './types.js';

/** Templates, splits and metrics of the tasks in this folder were read in these. */
export const ATTEMPT = 'AkariAsai/ATTEMPT b5121e5: attempt/data/tasks.py';
export const T5 = 'google-research/text-to-text-transfer-transformer e081111: t5/data/preprocessors.py';

/** A class id of a labelled row; -1 (the hub's hidden label) is not one. */
export function classId(labels: readonly string[]): z.ZodType<number> {
  const expected = labels.map((label, id) => `${id} (${label})`).join(' or ');
  return z
    .int({ error: expected })
    .min(0, { error: expected })
    .max(labels.length - 1, { error: expected });
}

type FileTaskSpec<R extends Row> = Omit<FileTask, 'kind' | 'render' | 'schema' | 'expand' | 'headline'> & {
  headline?: FileTask['headline'];
  schema: ZodType<R>;
  /** First piece of the original T5 input, where that differs from `name_in_text`; null where it has none. */
  t5_name: string | null;
  /** The pieces after the task's name. */
  pieces: Record<TemplateFamily, (row: R) => string[]>;
  /** Default: the class id as a digit (attempt), the label word (t5). */
  target?: Record<TemplateFamily, (row: R) => string>;
  references?: (row: R, template: TemplateFamily) => string[];
  group?: (row: R) => string;
  expand?: (row: R) => R[];
};

function labelTarget(row: Row, labels: readonly string[] | undefined, template: TemplateFamily): string {
  const label = row['label'];
  const word = labels?.[Number(label)];
  if (word === undefined) throw new TypeError('A task without labels needs its own target');
  return template === 'attempt' ? String(label) : word;
}

/**
 * A task of JSON-lines files. The input is one line of text: the task's name (with `task_prefix`), then the pieces of
 * the template, joined by single spaces.
 */
export function defineFileTask<R extends Row>(spec: FileTaskSpec<R>): FileTask {
  const { t5_name, pieces, target, references, group, expand, ...facts } = spec;
  return {
    kind: 'files',
    ...facts,
    headline: spec.headline ?? spec.metrics[0],
    ...(expand === undefined ? {} : { expand: (row: Row) => expand(row as R) }),
    render(row, { template, task_prefix }) {
      const typed = row as R;
      const name = template === 't5' ? t5_name : spec.name_in_text;
      const parts = pieces[template](typed);
      return {
        input: (task_prefix && name !== null ? [name, ...parts] : parts).join(' '),
        target: target === undefined ? labelTarget(row, spec.labels, template) : target[template](typed),
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
