import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../src/util/rng.js';

type Row = Record<string, string | number>;

const GOOD = ['warm', 'fine', 'great', 'bright'];
const BAD = ['cold', 'poor', 'dull', 'dark'];
const THINGS = ['house', 'river', 'story', 'garden', 'song', 'winter', 'letter', 'market'];

/** Rows whose label shows in one word, with the hub's field names. */
const ROWS: Record<string, (rng: Rng) => Row> = {
  sst2(rng) {
    const label = rng.int(2);
    return { sentence: `the ${pick(rng, THINGS)} was ${pick(rng, label ? GOOD : BAD)}`, label };
  },
  cb(rng) {
    const label = rng.int(3);
    const thing = pick(rng, THINGS);
    const hypothesis =
      label === 2 ? `there is a ${pick(rng, THINGS)}` : `the ${thing} is ${pick(rng, label ? BAD : GOOD)}`;
    return { premise: `they say that the ${thing} is ${pick(rng, GOOD)}`, hypothesis, label };
  },
  boolq(rng) {
    const label = rng.int(2);
    const thing = pick(rng, THINGS);
    return {
      question: `is the ${thing} ${pick(rng, GOOD)}`,
      passage: `the ${thing} of the old town is ${pick(rng, label ? GOOD : BAD)}`,
      label,
    };
  },
};

function pick(rng: Rng, words: readonly string[]): string {
  return words[rng.int(words.length)]!;
}

/** Writes `<folder>/<task>/<split>.jsonl` for sst2, cb and boolq. The sizes differ, as those of tasks do. */
export function writeTinyData(folder: string, seed = 3): string {
  const sizes: Record<string, [number, number]> = { sst2: [60, 20], cb: [32, 24], boolq: [40, 24] };
  for (const [task, make] of Object.entries(ROWS)) {
    const rng = Rng.stream(seed, 'tiny-data', task);
    mkdirSync(join(folder, task), { recursive: true });
    (['train', 'validation'] as const).forEach((split, i) => {
      const lines = Array.from({ length: sizes[task]![i]! }, () => JSON.stringify(make(rng)));
      writeFileSync(join(folder, task, `${split}.jsonl`), `${lines.join('\n')}\n`);
    });
  }
  return folder;
}
