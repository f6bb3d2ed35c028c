import { mrqaTask } from './mrqa.js';

export const nq = mrqaTask({
  name: 'nq',
  title: 'Natural Questions with short answers, as in MRQA 2019',
  hub: { id: 'lucadiliello/naturalquestionsshortqa', config: 'default' },
  official_rows: { train: 104071, validation: 12836 },
  notes: ['The MPT fork writes "naturalquestions" where ATTEMPT and DePT name the task "nq".'],
});
