import { arcTask } from './arc.js';

export const arcEasy = arcTask({
  name: 'arc_easy',
  title: 'ARC-Easy: science exams, one of three to five options',
  suites: ['extra_sources'],
  config: 'ARC-Easy',
  official_rows: { train: 2251, validation: 570, test: 2376 },
});
