import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, HUB, UNKNOWN_TO_T5 } from './define.js';

const labels = ['not_paraphrase', 'paraphrase'];

export const paws = defineFileTask({
  name: 'paws',
  version: 1,
  title: 'PAWS: are two sentences of the same words paraphrases?',
  roles: ['target'],
  suites: ['others'],
  hub: { id: 'google-research-datasets/paws', config: 'labeled_final' },
  folder: 'paws',
  split_rule: 'official',
  splits: { train: 'train', validation: 'validation', test: 'test' },
  official_rows: { train: 49401, validation: 8000, test: 8000 },
  schema: z.object({ sentence1: z.string(), sentence2: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'paws',
  t5_name: 'paws',
  pieces: { attempt: fieldPieces('sentence1', 'sentence2'), t5: fieldPieces('sentence1', 'sentence2') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, HUB],
  notes: [UNKNOWN_TO_T5],
});
