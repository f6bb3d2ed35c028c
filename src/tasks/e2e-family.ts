import { z } from 'zod';
import { defineFileTask, HUB, OWN_TEMPLATE, UNKNOWN_TO_T5 } from './define.js';
import type { FileTask } from './types.js';

const schema = z.object({ meaning_representation: z.string(), human_reference: z.string() });
type E2eRow = z.infer<typeof schema>;

const pieces = ({ meaning_representation }: E2eRow): string[] => [meaning_representation];
const text = ({ human_reference }: E2eRow): string => human_reference;

/** A version of the E2E data: restaurants described from attributes, several texts per meaning. */
export function e2eTask(
  spec: Pick<FileTask, 'name' | 'title' | 'suites' | 'hub' | 'folder' | 'official_rows'> & { notes: readonly string[] },
): FileTask {
  return defineFileTask({
    ...spec,
    version: 1,
    roles: ['target'],
    split_rule: 'official',
    splits: { train: 'train', validation: 'validation', test: 'test' },
    schema,
    name_in_text: spec.name,
    t5_name: spec.name,
    pieces: { attempt: pieces, t5: pieces },
    target: { attempt: text, t5: text },
    references: (row) => [text(row)],
    merge_key: ({ meaning_representation }) => meaning_representation,
    metrics: ['bleu', 'nist', 'meteor_nltk', 'rouge_l', 'cider'],
    max_source_length: 256,
    max_target_length: 128,
    sources: [HUB],
    notes: [
      ...spec.notes,
      'In validation and test, all texts of one meaning are the references of one example; training keeps every text.',
      "The paper's lengths for this task are unknown.",
      OWN_TEMPLATE,
      UNKNOWN_TO_T5,
    ],
  });
}
