import { needsTeachers } from '../config/distill-sections.js';
import type { DistillConfig } from '../config/schema.js';
import { warn } from '../logging/console.js';
import { methodLabel } from '../methods/names.js';
import { openModel } from '../model/open.js';
import { countParameters, disposeWeights } from '../model/weights.js';
import { promptFile } from '../prompts/file.js';
import { promptInitFiles, startSources, startVanilla } from '../prompts/start.js';
import { configOfRun } from '../runs/compare-config.js';
import { DISTILL_TASK } from '../runs/paths.js';
import { stageBanner, type Context, type RunOutcome } from './context.js';
import { execute } from './execute.js';
import { distillationRun } from './distillation.js';
import { locateTeachers } from './locate.js';
import { eachOnce, inputsOf, jointFacts, prepareTask, type PreparedTask } from './prepare.js';
import { checkProvenanceOf, ifThere } from './provenance.js';
import { readTeachers, teacherBank } from './teachers.js';
import { sayTeachers } from './variant.js';

/** Why no teachers are looked for; those that are named or there make no difference. */
function noTeachers({ distill: { lambda }, teachers }: DistillConfig): string {
  const why = lambda === 0 ? 'distill.lambda is 0' : 'all losses that look at them are off';
  return `none needed, as ${why}${teachers === null ? '' : `; ${teachers} is not read`}`;
}

/** Source training: one shared prompt and a pair of task vectors per source task, distilled from all teachers at once. */
export async function distill(config: DistillConfig, context: Context): Promise<RunOutcome[]> {
  const open = await openModel(config.model);
  const outcomes: RunOutcome[] = [];
  try {
    const names = config.source_tasks;
    const label = methodLabel({ method: config.method, multi_task: false, variant: config.variant });
    const taught = needsTeachers(config.distill);
    const title = `distill: one shared prompt ${taught ? 'from all teachers' : 'without teachers'}`;
    stageBanner(title, context, open, [['source tasks', names.join(', ')]]);
    if (!config.decomposition && !config.data.task_prefix) {
      warn(
        'one prompt is for all source tasks, and no name in front of the texts says which is meant (data.task_prefix)',
      );
    }
    if (taught) sayTeachers(config, context);
    const there = (seed: number): string[] => (taught ? ifThere(() => locateTeachers(config, names, seed)) : []);
    checkProvenanceOf(config.seeds.flatMap(there), open, config.data);
    const tasks: PreparedTask[] = [];
    for (const name of names) tasks.push(await prepareTask(name, config.data, open.tokenizer, context.progress));
    const unsaid = eachOnce();
    for (const seed of config.seeds) {
      const teacherFiles = taught ? locateTeachers(config, names, seed) : [];
      const teachers = taught ? teacherBank(readTeachers(open, teacherFiles, config)) : null;
      try {
        const outcome = await execute(context, {
          stage: 'distill',
          out: config.out,
          id: { experiment: config.experiment, stage: 'distill', method: label, task: DISTILL_TASK, seed },
          config: configOfRun(config, { seed }),
          model_parameters: countParameters(open.model.weights),
          inputs: inputsOf(open, tasks, [...teacherFiles.map(promptFile), ...promptInitFiles(config.prompt)]),
          facts: () => [
            ...unsaid(jointFacts(tasks, config.train, config.sampling)),
            ['teachers', taught ? teacherFiles.join('\n') : noTeachers(config)],
          ],
          spec: () =>
            distillationRun(open, {
              label: `distill ${names.length} tasks, seed ${seed}`,
              config,
              seed,
              tasks,
              teachers,
              initial: () =>
                config.decomposition
                  ? startSources(open, config, names.length, seed)
                  : startVanilla(open, config.prompt, [seed]),
            }),
        });
        if (outcome) outcomes.push(outcome);
      } finally {
        teachers?.dispose();
      }
    }
  } finally {
    disposeWeights(open.model.weights);
  }
  return outcomes;
}
