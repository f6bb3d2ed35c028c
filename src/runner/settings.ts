// Keys of configs as a run file sets them: for the whole file, a step, a variant. Layers are merged as configs are.
import { stringify } from 'yaml';
import { childSchema, keysOf, listKeys } from '../config/describe.js';
import type { Fault } from '../config/errors.js';
import { mergeLocated, plainValue, type Located, type LocatedMap, type Origin } from '../config/located.js';
import { schemas, STAGES, type Stage } from '../config/schema.js';
import { nearest } from '../util/errors.js';

/** One key of a stage's config, with the place that sets it. */
export interface Setting {
  /** Dotted path. */
  key: string;
  /** Plain data. */
  value: unknown;
  origin: Origin;
}

/** Keys that a run file has words of its own for, and what to say there. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  extends: 'name the base with `config` in the step',
  experiment: 'say it at the top of the file',
  out: 'say it at the top of the file',
  tasks: 'say `tasks` in the step',
  method: 'say `methods` in the step',
  methods: 'say `methods` in the step',
  seeds: 'say `seeds` in the step',
  variant: 'say `variants` in the step',
  multi_task: 'say `multi_task` in the step',
  few_shot: 'say `few_shot` in the step, and its other keys one by one (few_shot.train.max_steps)',
  'few_shot.shots': 'say `few_shot` in the step',
  'few_shot.draws': 'say `few_shot` in the step',
};

export function emptySettings(origin: Origin): LocatedMap {
  return { kind: 'map', entries: new Map(), origin };
}

/**
 * A section of settings with dotted or nested keys, as nested keys.
 * @param where its place in the file, for messages
 */
export function readSettings(written: Located | undefined, where: string, faults: Fault[], origin: Origin): LocatedMap {
  if (written === undefined || (written.kind === 'scalar' && written.value === null)) return emptySettings(origin);
  if (written.kind !== 'map') {
    const message = 'right would be keys of the config, as in "train.max_steps: 80"';
    faults.push({ origin: written.origin, path: where, message });
    return emptySettings(origin);
  }
  const seen = new Set<string>();
  let settings: Located = emptySettings(written.origin);
  for (const [key, { keyOrigin, value }] of written.entries) {
    const path = key.split('.');
    for (const leaf of leafPaths(value, key)) {
      if (seen.has(leaf)) faults.push({ origin: keyOrigin, path: `${where}.${leaf}`, message: 'set twice' });
      seen.add(leaf);
    }
    const nested = path.reduceRight<Located>(
      (inner, name) => ({ kind: 'map', entries: new Map([[name, { keyOrigin, value: inner }]]), origin: keyOrigin }),
      value,
    );
    settings = mergeLocated(settings, nested, { sameLayer: true });
  }
  return settings as LocatedMap;
}

function leafPaths(value: Located, path: string): string[] {
  if (value.kind !== 'map' || value.entries.size === 0) return [path];
  return [...value.entries].flatMap(([key, entry]) => leafPaths(entry.value, `${path}.${key}`));
}

/** Later layers over earlier ones; of `epochs` and `max_steps` (and such pairs) the later one counts. */
export function mergeSettings(layers: readonly LocatedMap[]): LocatedMap {
  return layers.reduce((below, above) => mergeLocated(below, above) as LocatedMap);
}

function stageHas(stage: Stage, path: readonly string[]): boolean {
  return childSchema(schemas[stage], path) !== undefined;
}

/** Maps below a key whose content is free (data.revisions) are values, not sections. */
function isSection(stages: readonly Stage[], path: readonly string[]): boolean {
  return stages.some((stage) => {
    const schema = childSchema(schemas[stage], path);
    return schema !== undefined && keysOf(schema).length > 0;
  });
}

interface Leaf {
  path: string[];
  keyOrigin: Origin;
  value: Located;
}

function leavesOf(settings: LocatedMap, stages: readonly Stage[], prefix: readonly string[] = []): Leaf[] {
  return [...settings.entries].flatMap(([key, { keyOrigin, value }]) => {
    const path = [...prefix, key];
    const deeper = value.kind === 'map' && (isSection(stages, path) || !stages.some((stage) => stageHas(stage, path)));
    return deeper ? leavesOf(value, stages, path) : [{ path, keyOrigin, value }];
  });
}

/** What of `settings` a stage has keys for. The keys of few_shot are for steps that run that protocol. */
export function settingsOf(settings: LocatedMap, stage: Stage, fewShot: boolean): Setting[] {
  return leavesOf(settings, [stage]).flatMap(({ path, keyOrigin, value }) => {
    if (!stageHas(stage, path) || (path[0] === 'few_shot' && !fewShot)) return [];
    return [{ key: path.join('.'), value: plainValue(value), origin: keyOrigin }];
  });
}

/** The value of a setting, if it is set to something. */
export function settingOf(settings: readonly Setting[], key: string): unknown {
  return settings.find((setting) => setting.key === key)?.value ?? undefined;
}

/** Keys that none of the stages has, and those that are said elsewhere. */
export function checkSettings(
  settings: LocatedMap,
  stages: readonly Stage[],
  where: string,
  { fewShot = true }: { fewShot?: boolean } = {},
): Fault[] {
  return leavesOf(settings, stages).flatMap(({ path, keyOrigin }): Fault[] => {
    const key = path.join('.');
    const fault = (message: string): Fault[] => [
      { origin: keyOrigin, path: where === '' ? key : `${where}.${key}`, message },
    ];
    const ownWords = OWN_WORDS[key];
    if (ownWords !== undefined) return fault(`not among settings: ${ownWords}`);
    if (path[0] === 'few_shot' && !fewShot) return fault('only a step with `few_shot` has this key');
    if (stages.some((stage) => stageHas(stage, path))) return [];
    const who = stages.length === 1 ? stages[0]! : `none of ${[...new Set(stages)].join(', ')}`;
    const has = stages.length === 1 ? 'has no such key' : 'has such a key';
    const others = STAGES.filter((stage) => stage !== 'pretrain' && stageHas(stage, path));
    if (others.length > 0) return fault(`${who} ${has}; ${others.join(' and ')} would, but no such step is meant here`);
    const known = [...new Set(stages.flatMap((stage) => listKeys(schemas[stage]).map((info) => info.path)))];
    const close = nearest(key, known) ?? known.find((other) => other.split('.').at(-1) === path.at(-1));
    return fault(`${who} ${has}.${close === undefined ? '' : ` Did you mean "${close}"?`}`);
  });
}

/** A value on one line, as `--set key=value` takes it. */
export function valueText(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim();
}
