import picocolors from 'picocolors';
import type { SplitName } from '../tasks/types.js';
import { formatCount, plural } from '../util/format.js';
import { gridWidth, plainGrid, wrapText, type Grid } from './grid.js';
import type { ShownExample, TokenView } from './shown-example.js';
import type { RenderedTemplate, SplitCounts, TaskFacts, TaskSummary } from './task-facts.js';

export interface ViewOptions {
  color: boolean;
  /** Columns of the terminal. Default 100. */
  width?: number;
}

/** A name that stands for several tasks. */
export interface TaskGroup {
  name: string;
  tasks: readonly string[];
}

/** Examples of one split. */
export interface ShownSplit {
  split: SplitName;
  template: string;
  /** Where the rows lie. */
  from: readonly string[];
  examples: readonly ShownExample[];
}

const DEFAULT_WIDTH = 100;
const UNKNOWN = '…';

const roleOf = (roles: readonly string[]): string => (roles.length > 1 ? 'both' : (roles[0] ?? ''));
/** The suite that tells what a task is; the others say what it is used for, as does its role. */
const familyOf = (suites: readonly string[]): string =>
  suites.find((suite) => !suite.endsWith('sources') && suite !== 'beyond_paper') ?? suites[0] ?? '';
const count = (rows: SplitCounts | null, split: SplitName): string =>
  rows === null ? UNKNOWN : formatCount(rows[split]);

function clip(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

/** Text as it can be shown: what would steer the terminal or break the line is escaped. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
    return short ?? `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}

/** Name and text in two columns, the text wrapped; rows of no text are left out. */
function facts(rows: readonly (readonly [string, string])[], { color, width = DEFAULT_WIDTH }: ViewOptions): string {
  const colors = picocolors.createColors(color);
  const shown = rows.filter(([, text]) => text !== '');
  const names = Math.max(0, ...shown.map(([name]) => name.length));
  const indent = ' '.repeat(names + 4);
  return shown
    .map(([name, text]) => {
      const lines = text.split('\n').flatMap((line) => wrapText(line, Math.max(20, width - indent.length)).split('\n'));
      return `  ${colors.dim(name.padEnd(names))}  ${lines.join(`\n${indent}`)}`;
    })
    .join('\n');
}

/** The tasks as a table no wider than the terminal; labels take the room that is left. */
export function taskTable(tasks: readonly TaskSummary[], options: ViewOptions): string {
  const colors = picocolors.createColors(options.color);
  const names: Grid = {
    head: ['task', 'suite', 'role', 'metric'],
    body: tasks.map(({ name, suites, roles, metrics }) => [
      { text: name },
      { text: familyOf(suites) },
      { text: roleOf(roles) },
      { text: metrics.length > 1 ? `${metrics[0]} +${metrics.length - 1}` : metrics[0]! },
    ]),
    foot: [],
    names: 4,
  };
  const figures: Grid = {
    head: ['train', 'valid.', 'test'],
    body: tasks.map(({ rows }) =>
      (['train', 'validation', 'test'] as const).map((split) => ({ text: count(rows, split) })),
    ),
    foot: [],
    names: 0,
  };
  const room = (options.width ?? DEFAULT_WIDTH) - gridWidth(names, false) - gridWidth(figures, false) - 4;
  const left = plainGrid(names).split('\n');
  const right = plainGrid(figures).split('\n');
  const labels = ['labels', '-'.repeat(Math.max(6, room))].concat(
    tasks.map(({ labels }) =>
      clip(labels === null ? 'free text' : `${labels.length}: ${labels.join(', ')}`, Math.max(6, room)),
    ),
  );
  const lines = left.map((line, i) =>
    `${line.padEnd(gridWidth(names, false))}  ${right[i]!.padEnd(gridWidth(figures, false))}  ${visible(labels[i]!)}`.trimEnd(),
  );
  return [colors.bold(lines[0]!), ...lines.slice(1)].join('\n');
}

/** What a table leaves out or shortens. */
export function tableNotes(tasks: readonly TaskSummary[], options: ViewOptions): string {
  const notes = [
    'Rows: after the split rule, where the sizes of the official splits are known.',
    ...(tasks.some(({ kind, rows }) => kind === 'wordnet' && rows === null)
      ? ['… for WordNet tasks: --counts counts them.']
      : []),
    ...(tasks.some(({ kind, rows }) => kind === 'files' && rows === null)
      ? ['… for others: not known before the rows are read.']
      : []),
    'A name shows everything about a task: mpt ls tasks NAME.',
  ];
  return picocolors.createColors(options.color).dim(wrapText(notes.join(' '), options.width ?? DEFAULT_WIDTH));
}

/** Groups by name, with their tasks. */
export function groupList(groups: readonly TaskGroup[], options: ViewOptions): string {
  const colors = picocolors.createColors(options.color);
  const rows = groups.map(({ name, tasks }) => [name, tasks.join(', ')] as const);
  return `${colors.bold('Groups: names that stand for several tasks')}\n${facts(rows, options)}`;
}

function rendered(template: RenderedTemplate): string {
  const extra = [
    ...(template.references === undefined ? [] : [`references: ${template.references.join(' | ')}`]),
    ...(template.group === undefined ? [] : [`scored together by: ${template.group}`]),
  ].map(visible);
  return [`${visible(template.input)} → ${visible(template.target)}`, ...extra].join('\n');
}

function dataRows({ data }: TaskFacts): [string, string][] {
  if (data === null) return [['data', 'made from WordNet 3.1, which is installed with mpt']];
  const { hub, folder, official_rows } = data;
  const official = Object.entries(official_rows ?? {}).map(([split, rows]) => `${formatCount(rows)} ${split}`);
  return [
    ['hub', hub === null ? 'none; pass --data-dir' : `${hub.id}, config ${hub.config}, revision ${hub.revision}`],
    ['folder', `${folder}/ below --data-dir, with ${Object.values(data.splits).join(', ')} as .jsonl or .parquet`],
    ['defined in', data.defined_in ?? ''],
    ['official rows', official.join(', ')],
  ];
}

/** Everything about one task. */
export function taskDetails(task: TaskFacts, options: ViewOptions): string {
  const colors = picocolors.createColors(options.color);
  const splits = (['train', 'validation', 'test'] as const).map((split) => `${count(task.rows, split)} ${split}`);
  const limits = [task.max_source_length, task.max_target_length];
  const rows: [string, string][] = [
    ['version', String(task.version)],
    ['suites', task.suites.join(', ')],
    ['roles', task.roles.join(', ')],
    ...dataRows(task),
    ['split rule', task.split_rule_text],
    ['rows', task.rows === null ? 'not known before they are read' : splits.join(', ')],
    ['labels', task.labels?.map(({ id, label }) => `${id} = ${label}`).join(', ') ?? 'none: the target is free text'],
    ['metrics', task.metrics.map((metric) => (metric === task.headline ? `${metric} (headline)` : metric)).join(', ')],
    ['lengths', `input ${limits[0]} tokens, target ${limits[1]} tokens, end of sequence included`],
    ['name in text', task.name_in_text],
    ...(task.templates === null
      ? [['templates', 'not shown without rows: --show-examples 1'] as [string, string]]
      : Object.entries(task.templates).map(([family, text]): [string, string] => [family, rendered(text)])),
    ...task.notes.map((note, i): [string, string] => [i === 0 ? 'notes' : ' ', note]),
    ...task.sources.map((source, i): [string, string] => [i === 0 ? 'sources' : ' ', source]),
  ];
  return `${colors.bold(task.name)}: ${task.title}\n${facts(rows, options)}`;
}

function tokens(name: string, { tokens: all, limit, cut }: TokenView): string {
  return cut === '' ? `${name} ${all} of at most ${limit}` : `${name} ${all}, cut to ${limit}`;
}

/** What truncation took, in marks, so that it can be told from the text without colour. */
function cutText(view: TokenView): string {
  if (view.cut === '') return visible(view.seen);
  return `${visible(view.seen)}\n⟦cut, ${plural(view.tokens - view.kept, 'token')}: ${visible(view.cut)}⟧`;
}

/** Rendered examples with what the model sees of them. */
export function exampleList({ split, template, from, examples }: ShownSplit, options: ViewOptions): string {
  const colors = picocolors.createColors(options.color);
  const heading = `${plural(examples.length, 'example')} of ${split}, template ${template}`;
  const blocks = examples.map((example) => {
    const label = example.label === undefined ? '' : ` (${example.label})`;
    const rows: [string, string][] = [
      ['input', cutText(example.source_tokens)],
      ['target', `${cutText(example.target_tokens)}${label}`],
      ['references', (example.references ?? []).map(visible).join(' | ')],
      ['group', visible(example.group ?? '')],
      ['tokens', [tokens('input', example.source_tokens), tokens('target', example.target_tokens)].join(', ')],
    ];
    // Coloured after the lines were broken, as codes have no width.
    const body = facts(rows, options).replace(/⟦cut[^⟧]*⟧/g, (cut) => cut.split('\n').map(colors.red).join('\n'));
    return `${colors.bold(visible(example.id))}\n${body}`;
  });
  const source = from.map((name) => colors.dim(`from ${visible(name)}`));
  return [[colors.bold(heading), ...source].join('\n'), ...blocks].join('\n\n');
}
