import { e2eTask } from './e2e-family.js';

export const e2eCleaned = e2eTask({
  name: 'e2e_cleaned',
  title: 'E2E, cleaned: restaurant descriptions whose attributes match the text',
  suites: ['beyond_paper'],
  hub: { id: 'tuetschek/e2e_nlg_cleaned', config: 'default' },
  folder: 'e2e_nlg_cleaned',
  official_rows: { train: 33525, validation: 4299, test: 4693 },
  notes: ['Meanings were corrected to fit the texts, so scores are not comparable with those of e2e.'],
});
