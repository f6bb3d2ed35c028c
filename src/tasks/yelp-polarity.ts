import { z } from 'zod';
import { ATTEMPT, classId, defineFileTask, fieldPieces, HUB, MPT_FORK, UNKNOWN_TO_T5 } from './define.js';

const labels = ['negative', 'positive'];

/** `sentence: {text}`, also of the five-star set. */
export const reviewPieces = ({ text }: { text: string }): string[] => fieldPieces('sentence')({ sentence: text });

export const yelpPolarity = defineFileTask({
  name: 'yelp_polarity',
  version: 1,
  title: 'Yelp reviews: negative or positive?',
  roles: ['target'],
  suites: ['others'],
  hub: { id: 'fancyzhx/yelp_polarity', config: 'plain_text' },
  folder: 'yelp_polarity',
  split_rule: 'large',
  splits: { train: 'train', test: 'test' },
  official_rows: { train: 560000, test: 38000 },
  max_train_examples: 100_000,
  schema: z.object({ text: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'yelp_polarity',
  t5_name: 'yelp_polarity',
  pieces: { attempt: reviewPieces, t5: reviewPieces },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [ATTEMPT, MPT_FORK, HUB],
  notes: [
    'Training is cut to 100000 reviews, as in ATTEMPT and the MPT fork.',
    "Labels are the hub's 0 (negative) and 1 (positive); the CSV files of the original data write 1 and 2.",
    UNKNOWN_TO_T5,
  ],
});
