import { defineWordNetTask } from './suite.js';

const CATEGORIES = [
  ...['act', 'animal', 'artifact', 'attribute', 'body', 'cognition', 'communication', 'event', 'feeling', 'food'],
  ...['group', 'location', 'motive', 'object', 'person', 'phenomenon', 'plant', 'possession', 'process', 'quantity'],
  ...['relation', 'shape', 'state', 'substance', 'time'],
];

export const wnCategory = defineWordNetTask({
  name: 'wn_category',
  title: 'Lexicographer category of a defined noun',
  role: 'source',
  name_in_text: 'category:',
  labels: CATEGORIES,
  metrics: ['accuracy'],
  max_target_length: 8,
  balanced: false,
  build: (synsets) =>
    synsets
      .filter(({ pos, category }) => pos === 'noun' && category !== 'Tops')
      .map(({ id, definition, category }) => ({ synsets: [id], definition, target: category })),
  text: ({ definition }) => definition,
});
