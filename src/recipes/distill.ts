import type { DistillConfig } from '../config/schema.js';
import { tf } from '../engines/tf.js';
import { openModel, type OpenModel } from '../model/open.js';
import { countParameters, disposeWeights } from '../model/weights.js';
import type { PromptBank } from '../prompts/bank.js';
import { promptBank, promptFile, readPrompt } from '../prompts/file.js';
import { promptInitFiles, startSources } from '../prompts/start.js';
import { configOfRun } from '../runs/compare-config.js';
import { DISTILL_TASK } from '../runs/paths.js';
import { UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import { stageBanner, type Context, type RunOutcome } from './context.js';
import { execute } from './execute.js';
import { distillationRun } from './distillation.js';
import { locateTeachers } from './locate.js';
import { checkProvenance, inputsOf, prepareTask, type PreparedTask } from './prepare.js';

/** The teachers of all source tasks as one bank [K, P, D], in the order of the tasks; the caller frees it. */
function loadTeachers(open: OpenModel, files: readonly string[], config: DistillConfig): PromptBank {
  const { length } = config.prompt;
  const banks = files.map((file) => {
    const stored = readPrompt(file, open.model.config.d_model);
    checkProvenance(stored, open, config.data);
    if (stored.method !== 'pt' || stored.length !== length) {
      throw new UserError(
        `${file}: a teacher is one plain prompt of length ${length} here, but this is ${stored.method} of length ${stored.length}`,
        {
          hint: 'Teachers and student need the same prompt.length: their hidden states are compared position by position.',
        },
      );
    }
    if (stored.tensors['prompt']!.shape.length !== 2) {
      throw new UserError(`${file} holds the prompts of several few-shot draws; a teacher is one prompt`, {
        hint: 'Name the folder of mpt teach with --teachers.',
      });
    }
    return promptBank(stored);
  });
  const bank = tf.tidy(() => tf.concat(banks, 0));
  tf.dispose(banks);
  return bank;
}

/** Source training: one shared prompt and a pair of task vectors per source task, distilled from all teachers at once. */
export async function distill(config: DistillConfig, context: Context): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  const outcomes: RunOutcome[] = [];
  try {
    const names = config.source_tasks;
    stageBanner('distill: one shared prompt from all teachers', context, open, [['source tasks', names.join(', ')]]);
    const tasks: PreparedTask[] = [];
    for (const name of names) tasks.push(await prepareTask(name, config.data, open.tokenizer, context.progress));
    for (const seed of config.seeds) {
      const teacherFiles = locateTeachers(config, seed);
      const teachers = loadTeachers(open, teacherFiles, config);
      try {
        const outcome = await execute(context, {
          stage: 'distill',
          out: config.out,
          id: { experiment: config.experiment, stage: 'distill', method: config.method, task: DISTILL_TASK, seed },
          config: configOfRun(config, { seed }),
          model_parameters: countParameters(open.model.weights),
          inputs: inputsOf(open, tasks, [...teacherFiles.map(promptFile), ...promptInitFiles(config.prompt)]),
          facts: () => [
            ...tasks.map(({ task, size }): [string, string] => [task.name, `${formatCount(size('train'))} train`]),
            ['teachers', teacherFiles.join('\n')],
          ],
          spec: () =>
            distillationRun(open, {
              label: `distill ${names.length} tasks, seed ${seed}`,
              config,
              seed,
              tasks,
              teachers,
              initial: () => startSources(open, config, names.length, seed),
            }),
        });
        if (outcome) outcomes.push(outcome);
      } finally {
        teachers.dispose();
      }
    }
  } finally {
    disposeWeights(open.model.weights);
  }
  return outcomes;
}
