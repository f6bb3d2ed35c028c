import { arcTask } from './arc.js';

export const arcChallenge = arcTask({
  name: 'arc_challenge',
  title: 'ARC-Challenge: harder science exams, one of three to five options',
  suites: ['beyond_paper'],
  config: 'ARC-Challenge',
  official_rows: { train: 1119, validation: 299, test: 1172 },
});
