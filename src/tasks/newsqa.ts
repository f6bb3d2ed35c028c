import { mrqaTask } from './mrqa.js';

export const newsqa = mrqaTask({
  name: 'newsqa',
  title: 'NewsQA: questions on news articles, as in MRQA 2019',
  hub: { id: 'lucadiliello/newsqa', config: 'default' },
  official_rows: { train: 74160, validation: 4212 },
});
