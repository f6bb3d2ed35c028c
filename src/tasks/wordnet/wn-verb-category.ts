import { defineWordNetTask } from './suite.js';

/** The four largest verb categories, cut to one size. */
const CATEGORIES = ['change', 'communication', 'contact', 'motion'];

export const wnVerbCategory = defineWordNetTask({
  name: 'wn_verb_category',
  title: 'Category of a defined verb',
  role: 'target',
  name_in_text: 'verb category:',
  labels: CATEGORIES,
  metrics: ['accuracy'],
  max_target_length: 8,
  balanced: true,
  build: (synsets) =>
    synsets
      .filter(({ pos, category }) => pos === 'verb' && CATEGORIES.includes(category))
      .map(({ id, definition, category }) => ({ synsets: [id], definition, target: category })),
  text: ({ definition }) => definition,
});
