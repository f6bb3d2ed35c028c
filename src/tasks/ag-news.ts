import { z } from 'zod';
import { classId, defineFileTask, fieldPieces, HUB, OWN_TEMPLATE, UNKNOWN_TO_T5 } from './define.js';

const labels = ['World', 'Sports', 'Business', 'Sci/Tech'];
const pieces = ({ text }: { text: string }): string[] => fieldPieces('sentence')({ sentence: text });

export const agNews = defineFileTask({
  name: 'ag_news',
  version: 1,
  title: 'AG News: topic of a news item',
  roles: ['source'],
  suites: ['extra_sources'],
  hub: { id: 'fancyzhx/ag_news', config: 'default' },
  folder: 'ag_news',
  split_rule: 'large',
  splits: { train: 'train', test: 'test' },
  official_rows: { train: 120000, test: 7600 },
  schema: z.object({ text: z.string(), label: classId(labels) }),
  labels,
  name_in_text: 'ag_news',
  t5_name: 'ag_news',
  pieces: { attempt: pieces, t5: pieces },
  metrics: ['accuracy'],
  max_source_length: 256,
  max_target_length: 8,
  sources: [HUB],
  notes: [
    'The paper names topic classification as one of six extra sources; that it was AG News is recalled, not ' +
      'confirmed. It has no validation set, so 1000 training rows serve.',
    OWN_TEMPLATE,
    UNKNOWN_TO_T5,
  ],
});
