import { average, SUPERGLUE, type PublishedRow, type PublishedTable } from './shape.js';

/** The average over SuperGLUE is all that is printed. */
function row(key: string, method: string | null, value: number): PublishedRow {
  return { key, method, shots: null, parameters: null, values: average(SUPERGLUE, value, 'verified') };
}

/** Decomposition and distillation in source training, each on or off; read in a picture of the table. */
export const TABLE6: PublishedTable = {
  name: 'table6',
  title: 'Table 6',
  model: 't5-base',
  rows: [
    row('neither', null, 69.5),
    row('distillation_only', null, 70.6),
    row('decomposition_only', null, 73.0),
    row('both_MPT', 'mpt', 74.1),
  ],
};

/** The ablations told in the text; read in a summary of the paper. */
export const ABLATIONS: PublishedTable = {
  name: 'ablations',
  title: 'The ablations in the text',
  model: 't5-base',
  rows: [
    row('full_MPT', 'mpt', 74.1),
    row('without_hidden_state_loss', null, 73.7),
    row('prompt_distance_MSE_instead_of_distillation', null, 73.6),
    row('adapt_shared_prompt_only', null, 62.5),
    row('adapt_task_vectors_only', null, 71.3),
    row('without_stochastic_task_sampling', null, 73.7),
  ],
};
