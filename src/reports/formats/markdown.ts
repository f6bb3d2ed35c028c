import { textNotes, formatParameters, formatPublished, formatScore } from '../format.js';
import { scoreText } from '../table-grid.js';
import { isScore, type PaperTable, type Report, type TableColumn } from '../types.js';

/** Text that Markdown shows as it is, on one line. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .replace(/[\\|*_<>`[\]~#&]/g, '\\$&')
    .trim();
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The title of a column where groups are not shown over it: with its group's name if another column has the same title. */
function flatTitle({ columns }: PaperTable, column: TableColumn): string {
  const same = columns.filter(({ title }) => title === column.title).length;
  return same > 1 && column.group !== null ? `${column.group} ${column.title}` : column.title;
}

function tableMarkdown(table: PaperTable): string[] {
  const { columns, rows, baseline } = table;
  const body = rows.flatMap(({ title, cells, ...row }) => {
    const scores = cells.map((cell, i) => {
      const text = escapeMarkdown(scoreText(cell, columns[i]!));
      return isScore(cell) ? (cell.best ? `**${text}**` : text) : `*${text}*`;
    });
    const own = line([escapeMarkdown(title), formatParameters(row), ...scores]);
    if (cells.every(({ published }) => published === null)) return [own];
    const published = cells.map((cell, i) => escapeMarkdown(formatPublished(cell, columns[i]!.digits)));
    return [own, line(['*to the paper*', '', ...published])];
  });
  if (baseline !== null) {
    const values = columns.map(({ digits }, i) => formatScore(baseline.values[i], digits));
    body.push(line([`*${escapeMarkdown(baseline.title)}*`, '', ...values]));
  }
  return [
    line(['method', 'parameters', ...columns.map((column) => escapeMarkdown(flatTitle(table, column)))]),
    line(['---', '---:', ...columns.map(() => '---:')]),
    ...body,
  ];
}

/** GitHub-flavoured Markdown: one table per number of shots, the best of each column in bold. No trailing newline. */
export function tablesMarkdown(tables: readonly PaperTable[], level = 2): string {
  const heading = '#'.repeat(level);
  return tables
    .map((table) => {
      const caption = [...table.caption, ...textNotes(table, 'Bold')].map(escapeMarkdown).join(' ');
      const empty = table.rows.length === 0 || table.columns.length === 0;
      const body = empty ? ['No results.'] : [...tableMarkdown(table), '', caption];
      return [`${heading} ${escapeMarkdown(table.title)}`, '', ...body].join('\n');
    })
    .join('\n\n');
}

function list(heading: string, items: readonly string[]): string[] {
  return items.length === 0
    ? []
    : [[`## ${heading}`, '', ...items.map((item) => `- ${escapeMarkdown(item)}`)].join('\n')];
}

/** A report as Markdown: its tables, what is wrong with its runs, its notes. Ends with a newline. */
export function reportMarkdown(report: Report): string {
  const parts = [
    `# ${escapeMarkdown(report.title)}`,
    escapeMarkdown(report.subtitle),
    report.tables.length === 0 ? 'No results.' : tablesMarkdown(report.tables),
    ...list('Runs that are not finished', report.problems),
    ...list('Notes', report.notes),
  ];
  return `${parts.join('\n\n')}\n`;
}
