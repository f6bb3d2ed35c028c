import { z } from 'zod';
import { count, uniqueList } from '../config/rules.js';
import { METHODS, parseMethodLabel } from '../methods/names.js';
import { METRIC_NAMES } from '../tasks/types.js';
import { nearest } from '../util/errors.js';
import { FIGURE_KINDS } from './types.js';

/** The paper's tables that mpt knows the numbers of, see published.ts. */
export const PUBLISHED_TABLES = [
  'table1',
  'table2',
  'table3',
  'table4',
  'table5',
  'table6',
  'table7',
  'ablations',
] as const;
export type PublishedName = (typeof PUBLISHED_TABLES)[number];

const columnsSection = z
  .strictObject({
    title: z.string().min(1).describe('stands over the columns'),
    tasks: uniqueList(z.string().min(1), 'task').describe('tasks or groups of tasks, in the order of the columns'),
    metrics: uniqueList(z.enum(METRIC_NAMES), 'metric')
      .nullable()
      .default(null)
      .describe(
        "the metrics of each task; null = the task's headline metric, or all of them where texts are generated",
      ),
    average: z
      .enum(['beside', 'only', 'none'])
      .default('beside')
      .describe('the mean over the tasks: a column after theirs, the only column, or not shown'),
  })
  .describe('columns that stand together');

const rowSection = z
  .strictObject({
    method: z
      .string()
      .refine((label) => parseMethodLabel(label) !== undefined, {
        error: ({ input }) => {
          const close = nearest(String(input).split('-')[0]!, METHODS);
          const hint = close === undefined ? '' : ` Did you mean "${close}"?`;
          return `got "${String(input)}"; right would be the label of a method: mpt, pt, mpt-multitask, mpt-no_hidden ….${hint}`;
        },
      })
      .describe('as its folders are called: <method>[-multitask][-<variant>]'),
    title: z.string().min(1).nullable().default(null).describe('what the table calls it; null = the usual name'),
    published: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('the row of the published table to compare with; null = that of the method'),
  })
  .describe('one row of the table');

/** `report:` of a run file: what `mpt report` shows of an experiment. */
export const reportSection = z
  .strictObject({
    title: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('heading of the report; null = the name of the experiment'),
    published: z
      .enum([...PUBLISHED_TABLES, 'none'])
      .nullable()
      .default(null)
      .describe(
        'the table of the paper to compare with; null = whichever has a number of the same model, method, task and shots',
      ),
    columns: z
      .array(columnsSection)
      .min(1)
      .nullable()
      .default(null)
      .describe('groups of columns; null = every task that was evaluated, by the groups of `mpt ls tasks`'),
    rows: z
      .array(rowSection)
      .min(1)
      .refine((rows) => !Array.isArray(rows) || new Set(rows.map(({ method }) => method)).size === rows.length, {
        error: 'every method only once',
      })
      .nullable()
      .default(null)
      .describe('methods; null = all that were run'),
    shots: uniqueList(z.union([count(), z.literal('full')]), 'number')
      .nullable()
      .default(null)
      .describe('one table for each: numbers of training examples, or "full"; null = all that were run'),
    figures: z
      .array(z.enum(FIGURE_KINDS))
      .nullable()
      .default(null)
      .describe('figures of the page, in this order; [] for none, null = all that there are data for'),
    notes: z.array(z.string().min(1)).default([]).describe('said at the end'),
  })
  .prefault({})
  .describe('the report of the experiment');

export type ReportSpec = z.output<typeof reportSection>;
export type ColumnsSpec = z.output<typeof columnsSection>;
export type RowSpec = z.output<typeof rowSection>;
