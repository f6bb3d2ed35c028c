/** Errors that a person can act on. Anything that is not one of these is a bug and keeps its stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
  /** Process exit code: 2 for bad input or usage, 1 for a run that failed on its way. */
  readonly exitCode: number;
  /** What would be right, on a line of its own. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 2;
    this.hint = options.hint;
  }
}

/** A run stopped on its way (NaN loss, full disk, lost engine); what it had saved is kept. Exit code 1. */
export class RunError extends UserError {
  override readonly name = 'RunError';

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { ...options, exitCode: 1 });
  }
}

/** Levenshtein distance with adjacent transpositions counted as one edit. */
function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const substitution = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, substitution);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
}

/** The candidate closest in spelling to `name`, if one is close enough to be what was meant. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length * 0.4)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  // "task" is "tasks" with a letter missing, rather than a word of "multi_task".
  if (bestDistance <= 1 || name.length < 4) return best;
  // "steps" is closer to "max_steps" than edit distance says.
  const words = candidates.filter((candidate) => candidate.split('_').includes(name.toLowerCase()));
  return words.sort((a, b) => a.length - b.length)[0] ?? best;
}

/** ` Did you mean "x"?` or the list of what exists, to end an error message with. */
export function suggestion(name: string, candidates: readonly string[]): string {
  const close = nearest(name, candidates);
  if (close !== undefined) return `Did you mean "${close}"?`;
  const shown = candidates.slice(0, 12);
  const rest = candidates.length > shown.length ? `, … (${candidates.length} in all)` : '';
  return shown.length > 0 ? `Known: ${shown.join(', ')}${rest}.` : '';
}
