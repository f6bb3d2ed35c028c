// From steps to the nodes that they stand for: tasks × methods × variants.
import { needsTeachers } from '../config/distill-sections.js';
import { ConfigError, type Fault } from '../config/errors.js';
import { loadConfig } from '../config/load.js';
import type { Origin } from '../config/located.js';
import type { AdaptConfig, AnyConfig, DistillConfig, EvalConfig } from '../config/schema.js';
import type { MethodName } from '../methods/names.js';
import { expandTasks } from '../tasks/groups.js';
import { knownTaskNames, TASK_NAMES } from '../tasks/known-tasks.js';
import { nearest, UserError } from '../util/errors.js';
import { nodeId, type NodeDraft } from './node.js';
import type { RunFile, Step } from './run-file.js';
import { settingsOf, valueText, type Setting } from './settings.js';

/**
 * Loads a step's base config with keys over it.
 *
 * @param origin what to name where a fault is about no single key
 * @returns undefined where it has faults, which are added to `faults` with their places in the run file
 */
export function loadWith(
  stage: Step['stage'],
  config: string,
  keys: readonly Setting[],
  origin: Origin,
  faults: Fault[],
): AnyConfig | undefined {
  const texts = new Map(keys.map(({ key, value, origin: place }) => [`${key}=${valueText(value)}`, place]));
  try {
    return loadConfig(stage, config, { set: [...texts.keys()], tasks: TASK_NAMES }).config;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (!(error instanceof ConfigError)) faults.push({ origin, path: '', message: error.message });
    else faults.push(...error.faults.map((fault) => ({ ...fault, origin: placeOf(fault.origin, texts) })));
    return undefined;
  }
}

/** `--set key=value` back to the place in the run file that says so. */
function placeOf(origin: Origin, texts: ReadonlyMap<string, Origin>): Origin {
  return ('flag' in origin ? texts.get(origin.flag.replace(/^--set /, '')) : undefined) ?? origin;
}

/** The keys that a step itself says. */
function ownKeys(step: Step): Setting[] {
  const { stage, tasks, source_tasks, methods, seeds, multi_task, few_shot } = step;
  const key = (name: string, value: unknown, from: string = name): Setting[] =>
    value === null ? [] : [{ key: name, value, origin: step.originOf(from) }];
  return [
    ...(stage === 'distill' ? [] : key('tasks', tasks)),
    ...(stage === 'distill' ? key('source_tasks', source_tasks) : []),
    ...(stage === 'adapt' ? key('method', methods?.[0] ?? null, 'methods') : []),
    ...(stage === 'eval' ? key('methods', methods) : []),
    ...key('seeds', seeds),
    ...(multi_task && few_shot === null ? key('multi_task', true) : []),
    ...(stage !== 'eval'
      ? []
      : few_shot === null
        ? [{ key: 'few_shot', value: null, origin: step.origin }]
        : key('few_shot.shots', few_shot.shots, 'few_shot')),
  ];
}

/** Keys of a variant take the place of the step's own: a variant may have source tasks of its own. */
function withOwnKeys(step: Step, settings: readonly Setting[]): Setting[] {
  return [...settings, ...ownKeys(step).filter(({ key }) => !settings.some((other) => other.key === key))];
}

/** Names of tasks and groups to tasks; what is wrong with them is added to `faults`. */
function expand(step: Step, key: 'tasks' | 'source_tasks', settings: readonly Setting[], faults: Fault[]): string[] {
  const names = step[key] ?? [];
  const tasksDir = settings.find((setting) => setting.key === 'data.tasks_dir')?.value;
  try {
    const known = knownTaskNames(typeof tasksDir === 'string' ? tasksDir : null);
    const unknown = names.filter((name) => !known.includes(name));
    for (const name of unknown) {
      const close = nearest(name, known);
      const message = `there is no task "${name}".${close === undefined ? '' : ` Did you mean "${close}"?`}`;
      faults.push({ origin: step.originOf(key), path: `${step.name}.${key}`, message });
    }
    return expandTasks(names.filter((name) => known.includes(name)));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    faults.push({ origin: step.originOf(key), path: `${step.name}.${key}`, message: error.message });
    return [];
  }
}

/** All nodes of a step and one of its variants, but for evaluations of what other steps adapt. */
function draftsOf(step: Step, variant: string | null, faults: Fault[]): NodeDraft[] {
  const settings = settingsOf(step.settingsOf(variant), step.stage, step.few_shot !== null);
  const before = faults.length;
  const source_tasks = step.source_tasks === null ? null : expand(step, 'source_tasks', settings, faults);
  if (step.tasks !== null) expand(step, 'tasks', settings, faults);
  if (faults.length > before) return [];
  const config = loadWith(step.stage, step.config, withOwnKeys(step, settings), step.origin, faults);
  if (config === undefined) return [];
  const draft = (method: MethodName, tasks: readonly string[]): NodeDraft => ({
    stage: step.stage,
    config: step.config,
    method,
    multi_task: step.multi_task,
    variant,
    tasks,
    taught: 'distill' in config && needsTeachers(config.distill),
    source_tasks,
    seeds: config.seeds,
    few_shot: step.few_shot,
    settings,
    origin: step.origin,
  });
  switch (step.stage) {
    case 'teach':
      return (config as AdaptConfig).tasks.map((task) => draft('pt', [task]));
    case 'distill':
      return [draft('mpt', (config as DistillConfig).source_tasks)];
    case 'adapt':
    case 'eval': {
      const { tasks } = config as AdaptConfig;
      const methods = step.methods ?? methodsOf(config);
      return methods.flatMap((method) =>
        step.multi_task ? [draft(method, tasks)] : tasks.map((task) => draft(method, [task])),
      );
    }
  }
}

function methodsOf(config: AnyConfig): readonly MethodName[] {
  return 'methods' in config ? (config as EvalConfig).methods : [(config as AdaptConfig).method];
}

/** Evaluations of what the file's adapt steps make, narrowed to what the step names. */
function evaluationsOf(step: Step, adapted: readonly NodeDraft[], faults: Fault[]): NodeDraft[] {
  const allowed = new Set(step.tasks === null ? [] : expand(step, 'tasks', [], faults));
  const chosen = adapted.filter(
    ({ method, tasks, variant, multi_task }) =>
      (step.methods === null || step.methods.includes(method)) &&
      (step.tasks === null || tasks.every((task) => allowed.has(task))) &&
      (step.variants === null || step.variants.includes(variant)) &&
      (!step.multi_task || multi_task),
  );
  if (chosen.length === 0) {
    const message = 'no adapt step of this file makes what it would test';
    faults.push({ origin: step.origin, path: step.name, message });
  }
  return chosen.map((draft) => {
    const settings = settingsOf(step.settingsOf(draft.variant), 'eval', false);
    const seeds = step.seeds ?? draft.seeds;
    const source_tasks = step.source_tasks ?? draft.source_tasks;
    return { ...draft, stage: 'eval', config: step.config, source_tasks, seeds, settings, origin: step.origin };
  });
}

/** Whether a fault is of what is to be run, not of the report. */
export function isOfSteps({ path }: Fault): boolean {
  return !/^report\b/.test(path);
}

/**
 * Every node that the steps stand for, in the order in which stages build on each other, each once.
 * Two steps that ask for the same thing in two ways are a fault.
 */
export function expandSteps(file: RunFile, faults: Fault[]): NodeDraft[] {
  const of = (stage: Step['stage']): Step[] => file.steps.filter((step) => step.stage === stage);
  const grid = (steps: readonly Step[]): NodeDraft[] =>
    steps.flatMap((step) => (step.variants ?? [null]).flatMap((variant) => draftsOf(step, variant, faults)));
  const adapted = grid(of('adapt'));
  // What a faulty step does not make is no fault of those that would test it.
  const whole = !faults.some(isOfSteps);
  const evaluations = of('eval').flatMap((step) =>
    step.few_shot === null && of('adapt').length > 0 ? evaluationsOf(step, adapted, whole ? faults : []) : grid([step]),
  );
  return withoutRepeats([...grid(of('teach')), ...grid(of('distill')), ...adapted, ...evaluations], faults);
}

function withoutRepeats(drafts: readonly NodeDraft[], faults: Fault[]): NodeDraft[] {
  const first = new Map<string, NodeDraft>();
  const told = new Set<string>();
  for (const draft of drafts) {
    const id = nodeId(draft);
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, draft);
    else if (sameWork(earlier) !== sameWork(draft) && !told.has(id)) {
      told.add(id);
      const message = `another step has ${id} too, with other settings or seeds; say it once, or give one of them a variant`;
      faults.push({ origin: draft.origin, path: '', message });
    }
  }
  return [...first.values()];
}

function sameWork({ config, tasks, seeds, few_shot, source_tasks, settings }: NodeDraft): string {
  const values = settings.map(({ key, value }) => [key, value]);
  return JSON.stringify([config, tasks, seeds, few_shot, source_tasks, values]);
}
