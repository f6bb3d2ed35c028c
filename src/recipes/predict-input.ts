import { z } from 'zod';
import { parseRow } from '../data/row-schema.js';
import type { FileTask, RenderOptions, Row, Task, WordNetTask } from '../tasks/types.js';
import { UserError } from '../util/errors.js';

/**
 * A line as the model is to read it: behind the name of the task, where that stood in front of the texts it was trained
 * on and is not there already.
 */
export function lineInput(line: string, task: Task | null, { template, task_prefix }: RenderOptions): string {
  const name = task !== null && task_prefix ? task.nameInFront(template) : null;
  return name === null || line === name || line.startsWith(`${name} `) ? line : `${name} ${line}`;
}

/**
 * A row of a task as the model is to read it. The row need not hold its answer.
 *
 * @param text JSON
 * @param where it stands, for messages
 * @throws UserError for what is no JSON object, and for fields that are missing or wrong
 */
export function rowInput(text: string, where: string, task: Task, options: RenderOptions): string {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${where}: not valid JSON (${(cause as Error).message})`, {
      hint: 'With --rows each line is one JSON object; without, it is the text itself.',
      cause,
    });
  }
  const fields = parseRow(z.looseObject({}), row, where);
  return task.kind === 'wordnet' ? wordNetInput(fields, where, task, options) : fileInput(fields, where, task, options);
}

/** Rows of these tasks are made, not read, so there is no schema: what is read of them must be there. */
function wordNetInput(row: Row, where: string, task: WordNetTask, options: RenderOptions): string {
  const missing = new Set<string>();
  const watched = new Proxy(row, {
    get(fields, name) {
      const found = Reflect.get(fields, name) as unknown;
      if (found === undefined && typeof name === 'string' && name !== 'target') missing.add(name);
      return found;
    },
  });
  let input = '';
  try {
    input = task.render(watched, options).input;
  } catch (error) {
    if (missing.size === 0) throw error;
  }
  if (missing.size === 0) return input;
  throw new UserError(`${where}: ${[...missing].map((field) => `field "${field}" is missing`).join('; ')}`, {
    hint: `The row has the fields: ${Object.keys(row).join(', ')}.`,
  });
}

function fileInput(row: Row, where: string, task: FileTask, options: RenderOptions): string {
  const whole = task.schema.safeParse(row);
  if (whole.success) return inputOf(whole.data, task, options);
  const absent = new Set(whole.error.issues.map(({ path }) => String(path[0])));
  if ([...absent].every((field) => row[field] === undefined || row[field] === null)) {
    const input = withoutAnswer(row, [...absent], task, options);
    if (input !== undefined) return input;
  }
  parseRow(task.schema, row, where); // throws
  throw new Error('a row that was wrong is right now');
}

/** Of a row that stands for several examples, the first: they differ in their answers. */
function inputOf(row: Row, task: FileTask, options: RenderOptions): string {
  return task.render((task.expand?.(row) ?? [row])[0] ?? row, options).input;
}

/** Where rows of the tasks that ship have their answers, and what they are scored by. */
const ANSWER_FIELDS: readonly string[] = [
  ...['label', 'gold_label', 'answer', 'answers', 'answerKey', 'target', 'references', 'human_reference', 'idx'],
];

const scoredBy = (n: number): Row => ({ passage: n, query: n, paragraph: n, question: n, answer: n });

/** Pairs of values that an answer may have: class ids, options, label words, texts, lists of them, or a group's ids. */
function possibleAnswers({ labels = [] }: FileTask): [unknown, unknown][] {
  return [
    [0, 1],
    ['A', 'B'],
    ['1', '2'],
    [labels[0], labels[1]],
    [false, true],
    [['x'], ['y']],
    [{ text: ['x'] }, { text: ['y'] }],
    [scoredBy(0), scoredBy(1)],
  ];
}

/**
 * The input of a row that lacks fields, where they only say the answer: the schema takes values in their place, and the
 * input is the same whichever they are. Undefined where that is not so.
 */
function withoutAnswer(
  row: Row,
  fields: readonly string[],
  task: FileTask,
  options: RenderOptions,
): string | undefined {
  // The templates of a user's task show what they read, whatever its name.
  if (task.defined_in === undefined && !fields.every((field) => ANSWER_FIELDS.includes(field))) return undefined;
  let filled: [Row, Row][] = [[row, row]];
  for (const field of fields) {
    filled = filled.flatMap(([one, other]) =>
      possibleAnswers(task).map(([a, b]): [Row, Row] => [
        { ...one, [field]: a },
        { ...other, [field]: b },
      ]),
    );
    if (filled.length > 1000) return undefined;
  }
  for (const pair of filled) {
    const parsed = pair.map((candidate) => task.schema.safeParse(candidate));
    if (!parsed.every(({ success }) => success)) continue;
    const [first, second] = parsed.map(({ data }) => inputOf(data!, task, options));
    return first === second ? first : undefined;
  }
  return undefined;
}
