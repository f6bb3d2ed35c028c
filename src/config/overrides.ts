import type { Fault } from './errors.js';
import { mergeLocated, parseLocated, type Located, type LocatedMap, type Origin } from './located.js';
import type { Stage } from './schema.js';

/** Options of the commands that stand for keys of the config; undefined = not given. */
export interface CommandFlags {
  tasks?: readonly string[] | undefined;
  seeds?: readonly number[] | undefined;
  method?: string | readonly string[] | undefined;
  model?: string | undefined;
  data_dir?: string | undefined;
  tasks_dir?: string | undefined;
  out?: string | undefined;
  experiment?: string | undefined;
  engine?: string | undefined;
  allow_cpu?: boolean | undefined;
  threads?: number | undefined;
  /** `mpt eval --few-shot`, which also switches the protocol on. */
  shots?: readonly number[] | undefined;
  draws?: number | undefined;
  source?: string | undefined;
  teachers?: string | undefined;
  fleet?: number | undefined;
  variant?: string | undefined;
  multi_task?: boolean | undefined;
}

/** The option as a person types it, and the key that it sets. */
const FLAGS: Record<
  keyof CommandFlags,
  { option: string; key: string; in?: Partial<Record<Stage, string>>; list?: readonly Stage[] }
> = {
  tasks: { option: '--task', key: 'tasks', in: { distill: 'source_tasks' } },
  seeds: { option: '--seed', key: 'seeds' },
  method: { option: '--method', key: 'method', in: { eval: 'methods' }, list: ['eval'] },
  model: { option: '--model', key: 'model' },
  data_dir: { option: '--data-dir', key: 'data.data_dir' },
  tasks_dir: { option: '--tasks-dir', key: 'data.tasks_dir' },
  out: { option: '--out', key: 'out' },
  experiment: { option: '--experiment', key: 'experiment' },
  engine: { option: '--engine', key: 'engine.name' },
  allow_cpu: { option: '--allow-cpu', key: 'engine.allow_cpu' },
  threads: { option: '--threads', key: 'engine.threads' },
  shots: { option: '--few-shot', key: 'few_shot.shots' },
  draws: { option: '--draws', key: 'few_shot.draws' },
  source: { option: '--source', key: 'source' },
  teachers: { option: '--teachers', key: 'teachers' },
  fleet: { option: '--fleet', key: 'fleet' },
  variant: { option: '--variant', key: 'variant' },
  multi_task: { option: '--multi-task', key: 'multi_task' },
};

interface Assignment {
  path: string[];
  value: Located;
  origin: Origin & { flag: string };
}

/**
 * One layer over the file, from `--set key.path=value` (value as YAML writes it) and the commands' own options.
 * A key that is set twice is a fault, whichever way: the order on the command line shall not matter.
 */
export function overlayFromCommandLine(
  stage: Stage,
  set: readonly string[],
  flags: CommandFlags,
  faults: Fault[],
): LocatedMap {
  const assignments = [...set.flatMap((text) => parseSet(text, faults) ?? []), ...fromFlags(stage, flags)];
  let overlay: Located = { kind: 'map', entries: new Map(), origin: { flag: 'command line' } };
  assignments.forEach((assignment, i) => {
    const earlier = assignments
      .slice(0, i)
      .find((other) => isPrefix(other.path, assignment.path) || isPrefix(assignment.path, other.path));
    if (earlier) {
      const message = `set twice: also by ${earlier.origin.flag}. Give it once`;
      faults.push({ origin: assignment.origin, path: assignment.path.join('.'), message });
    } else {
      overlay = mergeLocated(overlay, nest(assignment), { sameLayer: true });
    }
  });
  return overlay;
}

function isPrefix(a: readonly string[], b: readonly string[]): boolean {
  return a.every((key, i) => key === b[i]);
}

function nest({ path, value, origin }: Assignment): Located {
  return path.reduceRight<Located>(
    (inner, key) => ({ kind: 'map', entries: new Map([[key, { keyOrigin: origin, value: inner }]]), origin }),
    value,
  );
}

function parseSet(text: string, faults: Fault[]): Assignment | undefined {
  const equals = text.indexOf('=');
  const key = (equals < 0 ? text : text.slice(0, equals)).trim();
  const origin = { flag: `--set ${text}`, key };
  const fault = (path: string, message: string): undefined => void faults.push({ origin, path, message });
  const path = key.split('.');
  if (equals < 0)
    return fault('', 'there is no "=" in it. Right would be --set key.path=value, as in --set train.batch_size=16');
  if (!path.every((part) => /^\w+$/.test(part)))
    return fault('', `"${key}" is not a key; right would be names joined by dots, as in train.batch_size`);
  const written = text.slice(equals + 1);
  if (written.trim() === '') return fault(key, 'no value after "="; write null to switch something off');
  const value = parseLocated(written, () => origin, faults);
  return value && { path, value, origin };
}

function fromFlags(stage: Stage, flags: CommandFlags): Assignment[] {
  return (Object.keys(FLAGS) as (keyof CommandFlags)[]).flatMap((name) => {
    const given = flags[name];
    if (given === undefined) return [];
    const { option, key, in: elsewhere, list } = FLAGS[name];
    const set = elsewhere?.[stage] ?? key;
    const origin = { flag: given === true ? option : `${option} ${String(given)}`, key: set };
    const value = list?.includes(stage) && !Array.isArray(given) ? [given] : given;
    return [{ path: set.split('.'), value: locate(value, origin), origin }];
  });
}

function locate(value: unknown, origin: Origin): Located {
  if (Array.isArray(value)) return { kind: 'list', items: value.map((item) => locate(item, origin)), origin };
  return { kind: 'scalar', value: value as string | number | boolean, origin };
}
