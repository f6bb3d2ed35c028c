import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, T5 } from './define.js';

const labels = ['False', 'True'];
const schema = z.object({
  text: z.string(),
  span1_text: z.string(),
  span1_index: z.int().min(0),
  span2_text: z.string(),
  span2_index: z.int().min(0),
  label: classId(labels),
});

/**
 * Puts marks around the span that starts at the given word. The span is used as a pattern, as in the reference, so one
 * with special characters may fail to match and stays unmarked.
 */
function mark(text: string, span: string, wordIndex: number, sign: string): string {
  let pattern: RegExp;
  try {
    pattern = new RegExp(`^((?:\\S+\\s){${wordIndex}})(${span})`);
  } catch {
    return text;
  }
  return text.replace(pattern, (_, before: string, found: string) => `${before}${sign} ${found} ${sign}`);
}

/** `* noun *` and `# pronoun #`; marking a noun in front moves the pronoun by two words. */
export function markSpans(row: z.infer<typeof schema>): string {
  const text = mark(row.text, row.span1_text, row.span1_index, '*');
  return mark(text, row.span2_text, row.span2_index + (row.span1_index < row.span2_index ? 2 : 0), '#');
}

const pieces = (row: z.infer<typeof schema>): string[] => [`text: ${markSpans(row)}`];

export const wsc = defineFileTask({
  name: 'wsc',
  version: 1,
  title: 'WSC: does the pronoun mean the noun?',
  roles: ['target'],
  suites: ['superglue'],
  hub: { id: 'aps/super_glue', config: 'wsc.fixed' },
  folder: 'wsc',
  split_rule: 'small',
  splits: { train: 'train', validation: 'validation' },
  official_rows: { train: 554, validation: 104 },
  schema,
  labels,
  name_in_text: 'superglue-wsc.fixed',
  t5_name: 'wsc',
  pieces: { attempt: pieces, t5: pieces },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, T5],
  notes: [
    'The noun is marked as "* noun *", the pronoun as "# pronoun #".',
    'Always predicting False scores 67.3 (35 of 52) on the test half, a figure that published tables show for ' +
      'several methods: look at the majority baseline beside any score.',
    'Label form of ATTEMPT; T5 itself also has a form that generates the noun.',
    'Spans are found by a pattern made of their raw text, as in T5 and ATTEMPT; one with special characters ' +
      'may stay unmarked.',
  ],
});
