import { z } from 'zod';
import { classId, defineFileTask, HUB, OWN_TEMPLATE, UNKNOWN_TO_T5 } from './define.js';
import { reviewPieces } from './yelp-polarity.js';

const labels = ['1 star', '2 stars', '3 stars', '4 stars', '5 stars'];

export const yelpReviewFull = defineFileTask({
  name: 'yelp_review_full',
  version: 1,
  title: 'Yelp reviews: how many stars?',
  roles: ['target'],
  suites: ['beyond_paper'],
  hub: { id: 'Yelp/yelp_review_full', config: 'yelp_review_full' },
  folder: 'yelp_review_full',
  split_rule: 'large',
  splits: { train: 'train', test: 'test' },
  official_rows: { train: 650000, test: 50000 },
  max_train_examples: 100_000,
  schema: z.object({ text: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'yelp_review_full',
  t5_name: 'yelp_review_full',
  pieces: { attempt: reviewPieces, t5: reviewPieces },
  metrics: ['accuracy', 'f1_macro'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [HUB],
  notes: ['Not in the paper; split and cut as yelp_polarity.', OWN_TEMPLATE, UNKNOWN_TO_T5],
});
