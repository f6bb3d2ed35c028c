import { suggestion } from '../util/errors.js';
import { TABLE1 } from './published/table1.js';
import { TABLE2, TABLE7 } from './published/table2-and-7.js';
import { TABLE3 } from './published/table3.js';
import { TABLE4 } from './published/table4.js';
import { TABLE5 } from './published/table5.js';
import { ABLATIONS, TABLE6 } from './published/table6-and-ablations.js';
import { averageKey, PUBLISHED_MODELS, valueKey, type PublishedModel, type PublishedTable } from './published/shape.js';
import type { PublishedName } from './spec.js';
import type { Published, TableColumn } from './types.js';

const TABLES: Readonly<Record<PublishedName, PublishedTable>> = {
  table1: TABLE1,
  table2: TABLE2,
  table3: TABLE3,
  table4: TABLE4,
  table5: TABLE5,
  table6: TABLE6,
  table7: TABLE7,
  ablations: ABLATIONS,
};

/** Where a number is looked for when no table is named: those whose rows are the plain methods. */
const PLAIN: readonly PublishedTable[] = [TABLE1, TABLE2, TABLE4, TABLE3, TABLE5];

export function publishedTable(name: PublishedName): PublishedTable {
  return TABLES[name];
}

/** Why a table has no row of that name, with the nearest; undefined where it has. */
export function unknownRow(name: PublishedName, key: string): string | undefined {
  const keys = [...new Set(TABLES[name].rows.map((row) => row.key))];
  return keys.includes(key) ? undefined : `${name} has no row "${key}". ${suggestion(key, keys)}`;
}

/** What tells a published number: of which row, on which tasks, by which metric, with how many examples. */
export interface PublishedQuestion {
  /** null: the table that has it, of the model that the runs are of */
  table: PublishedName | null;
  /** The row's name in the table; null: the row of the method. */
  row: string | null;
  method: string;
  shots: number | null;
  column: Pick<TableColumn, 'task' | 'metric'>;
  /** The tasks of an average, none of which is left out. */
  tasks: readonly string[];
  /** The model of the runs, where it is one of the paper's. */
  model: PublishedModel | null;
}

/** The paper's number for a cell, and the table that has it. */
export function findPublished(
  question: PublishedQuestion,
): { published: Published; table: PublishedTable } | undefined {
  const { table: name, row: rowKey, method, shots, column, tasks, model } = question;
  const tables = name === null ? PLAIN.filter((table) => table.model === model) : [TABLES[name]];
  const key = column.task === null ? averageKey(tasks) : valueKey(column.task, column.metric);
  for (const table of tables) {
    const row = table.rows.find(
      (candidate) =>
        candidate.shots === shots && (rowKey === null ? candidate.method === method : candidate.key === rowKey),
    );
    const published = row?.values[key];
    if (published !== undefined) return { published, table };
  }
  return undefined;
}

/** The model of the paper that has so many parameters, or that name where they are not known. */
export function publishedModel(parameters: number | null, name: string | null): PublishedModel | null {
  const models = Object.keys(PUBLISHED_MODELS) as PublishedModel[];
  const last = name?.split(/[\\/]/).at(-1);
  return (
    models.find((model) =>
      parameters === null ? model === last : PUBLISHED_MODELS[model].parameters === parameters,
    ) ?? null
  );
}
