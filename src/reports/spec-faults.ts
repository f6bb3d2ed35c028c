import { expandTasks } from '../tasks/groups.js';
import { GROUP_NAMES } from '../tasks/registry.js';
import { suggestion, UserError } from '../util/errors.js';
import { unknownRow } from './published.js';
import type { ReportSpec } from './spec.js';

export interface SpecFault {
  /** Below `report`. */
  path: (string | number)[];
  message: string;
}

function groupFault(name: string): string | undefined {
  if (!GROUP_NAMES.includes(name)) return undefined;
  try {
    expandTasks([name]);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}

/**
 * What the schema cannot say of a `report:` section: names of tasks that nobody knows, and rows that the published table
 * does not have.
 * @param tasks names of all tasks and groups, the user's own included
 */
export function specFaults(spec: ReportSpec, tasks: readonly string[]): SpecFault[] {
  const columns = (spec.columns ?? []).flatMap((group, i) =>
    group.tasks.flatMap((name, j): SpecFault[] => {
      const message = tasks.includes(name)
        ? groupFault(name)
        : `there is no task or group of tasks "${name}". ${suggestion(name, tasks)}`;
      return message === undefined ? [] : [{ path: ['columns', i, 'tasks', j], message }];
    }),
  );
  const table = spec.published;
  const rows = (spec.rows ?? []).flatMap(({ published: key }, i): SpecFault[] => {
    if (key === null || table === 'none') return [];
    const message =
      table === null ? 'needs `published` of the report: which table it is a row of' : unknownRow(table, key);
    return message === undefined ? [] : [{ path: ['rows', i, 'published'], message }];
  });
  return [...columns, ...rows];
}
