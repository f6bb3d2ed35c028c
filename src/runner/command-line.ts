// The command of a node: its keys as options where the commands have some, else as --set.
import type { RunStage } from './run-file-schema.js';
import type { RunFile } from './run-file.js';
import { valueText, type Setting } from './settings.js';
import type { WiredDraft } from './wire.js';

/** Options of the commands that stand for keys; of a list, its entries with commas. */
const OPTIONS: Readonly<Record<string, string>> = {
  model: '--model',
  'data.data_dir': '--data-dir',
  'data.tasks_dir': '--tasks-dir',
  'engine.name': '--engine',
  'engine.threads': '--threads',
  experiment: '--experiment',
  out: '--out',
  variant: '--variant',
  method: '--method',
  methods: '--method',
  tasks: '--task',
  seeds: '--seed',
  'few_shot.shots': '--few-shot',
  'few_shot.draws': '--draws',
  fleet: '--fleet',
  source: '--source',
  teachers: '--teachers',
};

function optionOf(stage: RunStage, key: string): string | undefined {
  if (key === 'source_tasks' && stage === 'distill') return '--task';
  // The others know neither by an option.
  if (key === 'source' && stage !== 'adapt' && stage !== 'eval') return undefined;
  if (key === 'teachers' && stage !== 'distill') return undefined;
  return OPTIONS[key];
}

/**
 * Every key that a node sets over its base config: the settings first, then what the grid says.
 * @param fewShotInBase the base config runs the few-shot protocol by itself, which a plain evaluation takes back
 */
export function keysOf(
  file: Pick<RunFile, 'experiment' | 'out'>,
  draft: WiredDraft,
  fewShotInBase: boolean,
): Setting[] {
  const { stage, few_shot, settings, origin, tasks, source_tasks } = draft;
  const key = (name: string, value: unknown): Setting => ({ key: name, value, origin });
  const own: Setting[] = [
    key(stage === 'distill' ? 'source_tasks' : 'tasks', tasks),
    ...(stage === 'adapt' ? [key('method', draft.method)] : stage === 'eval' ? [key('methods', [draft.method])] : []),
    ...(draft.variant === null ? [] : [key('variant', draft.variant)]),
    ...(draft.multi_task ? [key('multi_task', true)] : []),
    ...(few_shot !== null ? [key('few_shot.shots', few_shot.shots)] : []),
    ...(few_shot !== null && few_shot.draws !== null ? [key('few_shot.draws', few_shot.draws)] : []),
    ...(few_shot === null && fewShotInBase ? [key('few_shot', null)] : []),
    ...(source_tasks === null ? [] : [key('source_tasks', source_tasks)]),
    key('seeds', draft.seeds),
    key('experiment', file.experiment),
    key('out', file.out),
  ];
  return [...settings.filter((setting) => !own.some((other) => other.key === setting.key)), ...own];
}

/** The arguments behind `mpt`. */
export function commandArguments(stage: RunStage, config: string, keys: readonly Setting[]): string[] {
  const rest = keys.flatMap(({ key, value }): string[] => {
    if (key === 'multi_task' && value === true) return ['--multi-task'];
    const option = optionOf(stage, key);
    if (option === undefined || value === null) return ['--set', `${key}=${valueText(value)}`];
    return [option, Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : valueText(value)];
  });
  return [stage, '--config', config, ...rest];
}

/** A command as a POSIX shell reads it. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
