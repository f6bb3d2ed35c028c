import { e2eTask } from './e2e-family.js';

export const e2e = e2eTask({
  name: 'e2e',
  title: 'E2E: restaurant descriptions from attributes',
  suites: ['generation'],
  hub: { id: 'tuetschek/e2e_nlg', config: 'default' },
  folder: 'e2e_nlg',
  official_rows: { train: 42061, validation: 4672, test: 4693 },
  notes: [
    'Which version of E2E the paper used is unknown; this is the original of the challenge. See also e2e_cleaned.',
  ],
});
