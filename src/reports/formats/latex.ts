import { textNotes, formatParameters, formatPublished, formatScore, INCOMPLETE_MARK } from '../format.js';
import { isScore, type PaperTable, type Report, type TableCell, type TableColumn } from '../types.js';

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  $: '\\$',
  '&': '\\&',
  '#': '\\#',
  '%': '\\%',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': "''",
  '±': '$\\pm$',
  '−': '$-$',
  '–': '--',
  '†': '$\\dagger$',
  '…': '\\ldots{}',
};

/** Text that LaTeX prints as it is, whatever engine: specials escaped, on one line. */
export function escapeLatex(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .replace(/[\\{}$&#%_~^<>|"±−–†…]/gu, (character) => SPECIAL[character]!)
    .trim();
}

function scoreLatex(cell: TableCell, { digits, average }: TableColumn): string {
  if (!isScore(cell)) return `\\textit{${escapeLatex(cell.missing)}}`;
  const mean = escapeLatex(formatScore(cell.mean, digits));
  const spread = cell.std === null ? '' : `$\\pm$${escapeLatex(formatScore(cell.std, digits))}`;
  const small =
    `${spread}${average ? '' : ` (${cell.n})`}${cell.incomplete ? escapeLatex(INCOMPLETE_MARK) : ''}`.trim();
  return `${cell.best ? `\\textbf{${mean}}` : mean}${small === '' ? '' : ` {\\scriptsize ${small}}`}`;
}

function line(cells: readonly string[]): string {
  return `    ${cells.join(' & ')} \\\\`;
}

/** More columns than this are made to fit the width of the line. */
const WIDE = 6;

/** The columns of one group, or those of all, as a tabular. */
function tabular({ columns, rows, baseline }: PaperTable, group: string | null | undefined): string[] {
  const indices = columns.flatMap((column, i) => (group === undefined || column.group === group ? [i] : []));
  const body = rows.flatMap((row, r) => {
    const rule = r > 0 && rows[r - 1]!.group !== row.group ? ['    \\midrule'] : [];
    const scores = indices.map((i) => scoreLatex(row.cells[i]!, columns[i]!));
    const lines = [...rule, line([escapeLatex(row.title), escapeLatex(formatParameters(row)), ...scores])];
    const published = indices.map((i) => escapeLatex(formatPublished(row.cells[i]!, columns[i]!.digits)));
    if (published.every((text) => text === '')) return lines;
    const small = published.map((text) => (text === '' ? '' : `{\\scriptsize ${text}}`));
    return [...lines, line(['\\quad {\\scriptsize to the paper}', '', ...small])];
  });
  const majority = indices.map((i) => escapeLatex(formatScore(baseline?.values[i], columns[i]!.digits)));
  const foot = baseline === null ? [] : ['    \\midrule', line([escapeLatex(baseline.title), '', ...majority])];
  const title =
    group === undefined ? [] : [line(['', '', `\\multicolumn{${indices.length}}{c}{${escapeLatex(group ?? '')}}`])];
  const rule = group === undefined ? [] : [`    \\cmidrule(lr){3-${indices.length + 2}}`];
  const wide = indices.length > WIDE;
  return [
    wide ? '  \\resizebox{\\linewidth}{!}{%' : '',
    `  \\begin{tabular}{lr${'r'.repeat(indices.length)}}`,
    '    \\toprule',
    ...title,
    ...rule,
    line(['method', 'parameters', ...indices.map((i) => escapeLatex(columns[i]!.title))]),
    '    \\midrule',
    ...body,
    ...foot,
    '    \\bottomrule',
    `  \\end{tabular}${wide ? '}' : ''}`,
  ].filter((text) => text !== '');
}

/** One float: the groups of columns below one another. */
function tableLatex(table: PaperTable): string {
  const groups = [...new Set(table.columns.map(({ group }) => group))];
  const tabulars = groups.length < 2 ? [tabular(table, undefined)] : groups.map((group) => tabular(table, group));
  const caption = [...table.caption, ...textNotes(table, 'Bold')].map(escapeLatex).join(' ');
  return [
    '\\begin{table*}[t]',
    '  \\centering',
    '  \\small',
    '  \\setlength{\\tabcolsep}{3pt}',
    ...tabulars.flatMap((lines, i) => (i === 0 ? lines : ['', '  \\medskip', ...lines])),
    `  \\caption{${caption}}`,
    '\\end{table*}',
  ].join('\n');
}

/** A comment's text: on one line. */
function comment(text: string): string {
  return `% ${text.replace(/[\p{Cc}\s]+/gu, ' ')}`;
}

/** The tables of a report as LaTeX, to be read into a document that has the packages booktabs and graphicx. Ends with a newline. */
export function reportLatex(report: Report): string {
  const head = [comment(`${report.title}. ${report.subtitle}`), '% needs \\usepackage{booktabs,graphicx}'];
  const problems = report.problems.map((problem) => comment(`not finished: ${problem}`));
  const tables = report.tables.filter(({ rows, columns }) => rows.length > 0 && columns.length > 0).map(tableLatex);
  return `${[[...head, ...problems].join('\n'), ...tables].join('\n\n')}\n`;
}
