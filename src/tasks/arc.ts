import { z } from 'zod';
import { answerIndex, checkAnswerKey, choiceFields, choicePieces, LETTERS } from './choices.js';
import { defineFileTask, HUB, OWN_TEMPLATE, UNKNOWN_TO_T5 } from './define.js';
import type { FileTask } from './types.js';

const schema = z.object({ question: z.string(), ...choiceFields }).superRefine(checkAnswerKey);
const pieces = (row: z.infer<typeof schema>): string[] => choicePieces(row.question, row.choices);

/** The two sets of ARC share everything but their rows. */
export function arcTask(
  spec: Pick<FileTask, 'name' | 'title' | 'suites' | 'official_rows'> & { config: string },
): FileTask {
  const { config, ...facts } = spec;
  return defineFileTask({
    ...facts,
    version: 1,
    roles: ['source'],
    hub: { id: 'allenai/ai2_arc', config },
    folder: spec.name,
    split_rule: 'official',
    splits: { train: 'train', validation: 'validation', test: 'test' },
    schema,
    labels: LETTERS,
    class_of: answerIndex,
    name_in_text: spec.name,
    t5_name: spec.name,
    pieces: { attempt: pieces, t5: pieces },
    metrics: ['accuracy'],
    max_source_length: 256,
    max_target_length: 8,
    sources: [HUB],
    notes: [
      "Which of ARC-Easy and ARC-Challenge the paper's twelve sources hold is unknown; extra_sources has " +
        'arc_easy, the larger.',
      'Options are labelled A to E or 1 to 5 on the hub, and a few questions have three or five; targets count ' +
        'positions.',
      OWN_TEMPLATE,
      UNKNOWN_TO_T5,
    ],
  });
}
