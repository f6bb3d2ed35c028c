import { METHODS, methodLabel, parseMethodLabel } from '../../methods/names.js';
import { inMethodOrder, isMultiTask } from '../table-methods.js';
import type { SeriesStyle } from '../svg.js';

/** What a label is drawn as, its multi-task form beside it: the label without "-multitask". */
function keyOf(label: string): string {
  const id = parseMethodLabel(label);
  return id === undefined ? label : methodLabel({ ...id, multi_task: false });
}

const slotOfMethod = (name: string | undefined): number => METHODS.findIndex((method) => method === name);

/**
 * Colour and shape of each label. Every method has its own in all reports, its multi-task form the same, drawn open;
 * variants take what the methods of this report leave free.
 */
export function methodStyles(labels: Iterable<string>): (label: string) => SeriesStyle {
  const ordered = inMethodOrder([...labels]);
  const taken = new Set(ordered.map((label) => slotOfMethod(parseMethodLabel(label)?.method)));
  const own = new Map<string, number>();
  let next = 0;
  for (const key of ordered.map(keyOf)) {
    if (own.has(key) || slotOfMethod(key) >= 0) continue;
    while (taken.has(next)) next++;
    own.set(key, next);
    taken.add(next);
  }
  return (label) => {
    const key = keyOf(label);
    const slot = slotOfMethod(key);
    return { slot: slot >= 0 ? slot : (own.get(key) ?? next + 1), open: isMultiTask(label) };
  };
}
