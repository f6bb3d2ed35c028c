import { METHODS, parseMethodLabel, type MethodName } from '../methods/names.js';

const TITLES: Readonly<Record<MethodName, string>> = {
  mpt: 'MPT',
  pt: 'PT',
  spot: 'SPoT',
  attempt: 'ATTEMPT',
  adapter: 'Adapter',
  bitfit: 'BitFit',
  finetune: 'Finetuning',
};

/** What a table calls a method: "MPT", "MPT multi-task", "MPT, no_hidden". A label that is no method stays as it is. */
export function methodTitle(label: string): string {
  const id = parseMethodLabel(label);
  if (id === undefined) return label;
  const name = `${TITLES[id.method]}${id.multi_task ? ' multi-task' : ''}`;
  return id.variant === null ? name : `${name}, ${id.variant}`;
}

/** Whether a label's tasks train together. */
export function isMultiTask(label: string): boolean {
  return parseMethodLabel(label)?.multi_task === true;
}

/** Labels as tables list them: each task for itself, then tasks together; methods in their order, plain ones first. */
export function inMethodOrder(labels: readonly string[]): string[] {
  const place = (label: string): [number, number, string] => {
    const id = parseMethodLabel(label);
    return [
      Number(isMultiTask(label)),
      id === undefined ? METHODS.length : METHODS.indexOf(id.method),
      id?.variant ?? '',
    ];
  };
  return [...new Set(labels)].sort((a, b) => {
    const [x, y] = [place(a), place(b)];
    return x[0] - y[0] || x[1] - y[1] || x[2].localeCompare(y[2], 'en', { numeric: true });
  });
}
