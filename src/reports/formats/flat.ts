import type { PaperTable, TableColumn } from '../types.js';

/** The title of a column where groups are not shown over it: with its group's name if another column has the same title. */
export function flatTitle({ columns }: PaperTable, column: TableColumn): string {
  const same = columns.filter(({ title }) => title === column.title).length;
  return same > 1 && column.group !== null ? `${column.group} ${column.title}` : column.title;
}
