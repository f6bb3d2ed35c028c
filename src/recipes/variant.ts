import { dirname } from 'node:path';
import type { AdaptConfig } from '../config/schema.js';
import { log, warn } from '../logging/console.js';
import { methodLabel, parseMethodLabel, type MethodName } from '../methods/names.js';
import { methodFolder } from '../runs/paths.js';
import { foldersIn } from '../runs/status.js';
import { nearest } from '../util/errors.js';
import type { Context } from './context.js';

/** The keys that say where a stage finds what it builds on. */
export type Place = Pick<AdaptConfig, 'experiment' | 'out' | 'variant'>;

/** What stages build on: where it lies, and what it is called where there is none. */
export interface Kind {
  stage: string;
  method: MethodName;
  none: string;
  plain: string;
}

export const DISTILLED: Kind = {
  stage: 'distill',
  method: 'mpt',
  none: 'is no distilled run',
  plain: 'starting from the plain one',
};
export const TEACHERS: Kind = { stage: 'teach', method: 'pt', none: 'are no teachers', plain: 'taking the plain ones' };
/** Prompts that pt tuned on target tasks: in adaptation, or from few examples. */
export const tunedIn = (stage: string): Kind => ({
  stage,
  method: 'pt',
  none: 'are no prompts that pt tuned',
  plain: 'comparing with the plain ones',
});

function labelOf({ method }: Kind, variant: string | null): string {
  return methodLabel({ method, multi_task: false, variant });
}

function labelsThere({ experiment, out }: Place, kind: Kind): string[] {
  return foldersIn(dirname(methodFolder(out, { experiment, stage: kind.stage, method: labelOf(kind, null) })));
}

/** The folder of the same variant where there is one, else that of the plain method. */
export function folderOfVariant(place: Place, kind: Kind): string {
  const own = labelOf(kind, place.variant);
  const method = labelsThere(place, kind).includes(own) ? own : labelOf(kind, null);
  return methodFolder(place.out, { experiment: place.experiment, stage: kind.stage, method });
}

/** What to say where a variant builds on the plain method. */
export interface VariantNote {
  text: string;
  /** Other variants were made there: this one may be misspelt. */
  doubtful: boolean;
}

/** @returns undefined where there is nothing to say: no variant is asked for, it is there, or not even the plain one is */
export function variantNote(place: Place, kind: Kind): VariantNote | undefined {
  const { variant } = place;
  const there = labelsThere(place, kind);
  if (variant === null || there.includes(labelOf(kind, variant)) || !there.includes(labelOf(kind, null))) return;
  const others = there.flatMap((label) => {
    const id = parseMethodLabel(label);
    return id?.method === kind.method && !id.multi_task && id.variant !== null ? [id.variant] : [];
  });
  const close = nearest(variant, others);
  const hint =
    close !== undefined ? `. Did you mean "${close}"?` : others.length > 0 ? ` (there are ${others.join(', ')})` : '';
  const text = `there ${kind.none} of variant "${variant}"; ${kind.plain}${hint}`;
  return { text, doubtful: others.length > 0 };
}

type Sources = Place & Pick<AdaptConfig, 'source' | 'teachers' | 'spot'>;

/** What runs of a method build on, as far as the config does not name its folder. */
function kindsOf(method: MethodName, { source, teachers, spot }: Sources, stages: readonly string[]): Kind[] {
  const taught = teachers === null ? [TEACHERS] : [];
  if (method === 'mpt') return source === null ? [DISTILLED] : [];
  if (method === 'attempt') return taught;
  if (method !== 'spot') return [];
  return [...taught, ...(spot.source_task === null && spot.target_prompts === null ? stages.map(tunedIn) : [])];
}

/**
 * Says, once a command, where a variant builds on the plain method: as a warning where other variants were made there, so
 * that this one may be misspelt. Nothing of settings that a sweep names: nobody made anything of theirs before.
 *
 * @param stages where spot looks for tuned prompts
 */
export function sayVariant(
  methods: readonly MethodName[],
  config: Sources,
  stages: readonly string[],
  context: Pick<Context, 'sweeps'>,
): void {
  sayKinds(
    methods.flatMap((method) => kindsOf(method, config, stages)),
    config,
    context,
  );
}

/** The same of distillation, which builds on teachers. */
export function sayTeachers(config: Place & { teachers: string | null }, context: Pick<Context, 'sweeps'>): void {
  sayKinds(config.teachers === null ? [TEACHERS] : [], config, context);
}

function sayKinds(kinds: readonly Kind[], place: Place, { sweeps = false }: Pick<Context, 'sweeps'>): void {
  if (sweeps) return;
  const notes = new Map(kinds.flatMap((kind) => variantNote(place, kind) ?? []).map((note) => [note.text, note]));
  for (const { text, doubtful } of notes.values()) (doubtful ? warn : log)(doubtful ? text : `note: ${text}`);
}
