import { readSafetensors } from '../checkpoints/safetensors.js';
import { warn } from '../logging/console.js';
import type { OpenModel } from '../model/open.js';
import { promptFile } from '../prompts/file.js';
import { UserError } from '../util/errors.js';
import { promptMetadata, type PreparedTask } from './prepare.js';

type Rendering = PreparedTask['rendering'];

/** What was trained, and what its file says of how. */
interface Trained {
  file: string;
  metadata: Readonly<Record<string, string>>;
}

/** In what the use of something trained differs from its training, in words. */
function provenanceFaults(metadata: Trained['metadata'], open: OpenModel, rendering: Rendering): string[] {
  const now = promptMetadata(open, rendering);
  const differs = (key: string): boolean => metadata[key] !== undefined && metadata[key] !== now[key];
  return [
    ...(differs('model') ? [`trained on another model than ${open.folder}, or on other files of it`] : []),
    ...['template', 'task_prefix']
      .filter(differs)
      .map(
        (key) =>
          `trained with data.${key} ${metadata[key]}, but this config has ${now[key]} (texts that it does not know)`,
      ),
  ];
}

/** What has been said already of a model's prompts: a command opens its model once. */
const said = new WeakMap<OpenModel, Set<string>>();

const MOST_NAMED = 20;

/**
 * Warns where something was trained on another model, or on texts made in another way, than it is now used with: of
 * every difference once, with all files that it is true of; and of no file again.
 */
export function checkProvenance(trained: readonly Trained[], open: OpenModel, rendering: Rendering): void {
  const known = said.get(open) ?? new Set();
  said.set(open, known);
  const concerned = new Map<string, string[]>();
  for (const { file, metadata } of trained) {
    for (const fault of provenanceFaults(metadata, open, rendering)) {
      if (known.has(`${fault}\n${file}`)) continue;
      known.add(`${fault}\n${file}`);
      concerned.set(fault, [...(concerned.get(fault) ?? []), file]);
    }
  }
  for (const [fault, files] of concerned) {
    const more = files.length > MOST_NAMED ? [`… and ${files.length - MOST_NAMED} more`] : [];
    warn([`${fault}:`, ...files.slice(0, MOST_NAMED), ...more].join(files.length === 1 ? ' ' : '\n  '));
  }
}

/**
 * The same of all that a command is to start from, before it begins with any of it.
 *
 * @param paths prompt or weight files, or checkpoint folders with a prompt. What cannot be read is passed over: whoever
 *   needs it will say so
 */
export function checkProvenanceOf(paths: readonly string[], open: OpenModel, rendering: Rendering): void {
  const trained = [...new Set(paths)].flatMap((path) =>
    ifThere(() => {
      const file = promptFile(path);
      return [{ file, metadata: readSafetensors(file).metadata }];
    }),
  );
  checkProvenance(trained, open, rendering);
}

/** What `find` comes to; nothing where it is not there, which is for those to say who need it. */
export function ifThere<T>(find: () => T[]): T[] {
  try {
    return find();
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
