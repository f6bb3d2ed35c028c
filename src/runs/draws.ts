// Which draws of the few-shot protocol count. Draws that are runs of their own stay where they are when fewer are asked
// for; scores of the later question are not mixed with them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../util/atomic-write.js';
import { drawOfName } from './paths.js';
import { foldersIn } from './status.js';

/** The examples of one draw. */
export interface DrawRecord {
  draw: number;
  ids: string[];
}

const DRAWS_NAME = 'draws.json';

/**
 * Writes down which draws were asked for, and their examples: in the folder of the run that trained them and, where each
 * draw is a run of its own, also in the folder that holds these.
 */
export function writeDraws(folder: string, draws: readonly DrawRecord[]): void {
  writeFileAtomic(join(folder, DRAWS_NAME), `${JSON.stringify(draws, null, 2)}\n`);
}

/** The draws that were asked for last; undefined where the folder does not say, or not readably. */
function drawsAskedFor(folder: string): number[] | undefined {
  const file = join(folder, DRAWS_NAME);
  if (!existsSync(file)) return undefined;
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as DrawRecord[]).map(({ draw }) => draw);
  } catch {
    return undefined;
  }
}

/** The draws that count of a folder of such runs: those that were asked for last, else all that it holds. */
export function countedDraws(folder: string): number[] {
  return drawsAskedFor(folder) ?? foldersIn(folder).flatMap((name) => drawOfName(name) ?? []);
}
