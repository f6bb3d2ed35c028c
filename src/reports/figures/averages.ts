import { meanStd, type MeanStd } from '../../metrics/aggregate.js';
import type { Score } from './data.js';

/** Values by a key, both in order of appearance. */
export function groupBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/**
 * The tasks that every group of scores has. Groups that have none in common with the others, the poorest first, are
 * left out until there are some.
 */
export function commonTasks<T extends { scores: readonly Score[] }>(
  groups: readonly T[],
): { tasks: string[]; kept: T[]; dropped: T[] } {
  const tasksOf = ({ scores }: T): Set<string> => new Set(scores.map(({ task }) => task));
  const kept = [...groups];
  for (;;) {
    const sets = kept.map(tasksOf);
    const tasks = [...(sets[0] ?? [])].filter((task) => sets.every((set) => set.has(task)));
    if (tasks.length > 0 || kept.length === 0) {
      return { tasks, kept, dropped: groups.filter((group) => !kept.includes(group)) };
    }
    const fewest = Math.min(...sets.map((set) => set.size));
    kept.splice(
      sets.findLastIndex((set) => set.size === fewest),
      1,
    );
  }
}

/**
 * Mean over tasks of each task's mean over seeds (and draws). The spread is that of the averages of the seeds; it is
 * unknown unless every task has the same seeds.
 */
export function averageOver(scores: readonly Score[], tasks: readonly string[]): MeanStd {
  const byTask = tasks.map((task) => scores.filter((score) => score.task === task));
  const means = byTask.map((own) => meanStd(own.map(({ value }) => value)).mean);
  const { mean } = meanStd(means);
  const replicates = byTask.map((own) => own.map(({ replicate }) => replicate).sort());
  const [first] = replicates;
  const paired = new Set(first).size === first!.length && replicates.every((other) => other.join() === first!.join());
  if (!paired) return { mean, std: null, n: Math.min(...byTask.map((own) => own.length)) };
  const averages = first!.map((name) => {
    const values = byTask.map((own) => own.find(({ replicate }) => replicate === name)!.value);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
  return { ...meanStd(averages), mean };
}

/** "69.7 ± 1.2 (3)" */
export function meanText({ mean, std, n }: MeanStd): string {
  return `${mean.toFixed(1)}${std === null ? '' : ` ± ${std.toFixed(1)}`} (${n})`;
}

/** "a, b and c"; of a long list the first and how many more. */
export function listed(names: readonly string[], most = Infinity): string {
  if (names.length > most) return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;
}
