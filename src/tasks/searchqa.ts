import { mrqaTask } from './mrqa.js';

export const searchqa = mrqaTask({
  name: 'searchqa',
  title: 'SearchQA: quiz questions with search snippets, as in MRQA 2019',
  hub: { id: 'lucadiliello/searchqa', config: 'default' },
  official_rows: { train: 117384, validation: 16980 },
});
