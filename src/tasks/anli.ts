import { z } from 'zod';
import { classId, defineFileTask, fieldPieces, HUB, MPT_FORK, UNKNOWN_TO_T5 } from './define.js';

const labels = ['entailment', 'neutral', 'contradiction'];

export const anli = defineFileTask({
  name: 'anli',
  version: 1,
  title: 'ANLI, round 3: adversarial natural language inference',
  roles: ['source'],
  suites: ['extra_sources'],
  hub: { id: 'facebook/anli', config: 'plain_text' },
  folder: 'anli',
  split_rule: 'large',
  splits: { train: 'train_r3', test: 'test_r3' },
  official_rows: { train_r3: 100459, test_r3: 1200 },
  schema: z.object({ premise: z.string(), hypothesis: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'anli',
  t5_name: 'anli',
  pieces: { attempt: fieldPieces('premise', 'hypothesis'), t5: fieldPieces('hypothesis', 'premise') },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [MPT_FORK, HUB],
  notes: [
    "Round 3 alone, as in the MPT fork; whether the paper's Table 7 used all rounds is unknown.",
    'ATTEMPT lists ANLI among the large sets, so 1000 training rows validate and dev_r3 is not used.',
    UNKNOWN_TO_T5,
  ],
});
