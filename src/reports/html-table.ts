import { formatCount } from '../util/format.js';
import { INCOMPLETE_MARK, STATUS_MARKS, STATUS_MEANINGS } from './format.js';
import { canCompare, comparisonChart } from './comparison-chart.js';
import { metricFacts } from './table-columns.js';
import { colorClass, element, escapeMarkup as escape, legend, type SeriesStyle } from './svg.js';
import {
  isScore,
  type PaperTable,
  type ParameterRange,
  type Published,
  type TableCell,
  type TableColumn,
  type TableRow,
} from './types.js';

const MISSING = '–';

/** Beyond this many columns the parts of a cell stand below each other. */
const DENSE_ABOVE = 4;

/** A table that scrolls within itself where the screen is narrower. */
export function scrolling(label: string, inner: string, kind = ''): string {
  return (
    `<div class="scroll" role="region" tabindex="0" aria-label="${escape(label)}">` +
    `<table${kind === '' ? '' : ` class="${kind}"`}>${inner}</table></div>`
  );
}

const signed = (difference: number, digits: number): string => {
  const shown = Math.abs(difference).toFixed(digits);
  return Number(shown) === 0 ? `±${shown}` : `${difference < 0 ? '−' : '+'}${shown}`;
};

function publishedHtml(published: Published | null, mean: number | null, digits: number): string {
  if (published === null) return '';
  const difference = mean === null ? '' : ` <span class="diff">${signed(mean - published.value, digits)}</span>`;
  const mark = STATUS_MARKS[published.status];
  const meaning = `${published.status}: ${STATUS_MEANINGS[published.status]}`;
  const status = mark === '' ? '' : `<abbr title="${escape(meaning)}">${escape(mark)}</abbr>`;
  const value = `[${published.value.toFixed(digits)}]`;
  return `<span class="paper"><span class="unseen">paper </span>${value}${difference}${status}</span>`;
}

function cellHtml(cell: TableCell, { digits, average }: TableColumn): string {
  const kind = average ? 'average' : '';
  if (!isScore(cell)) {
    // The whole reason is among the problems; a cell has room for its beginning.
    const [short = ''] = cell.missing.split(':');
    const reason = `<span class="missing" title="${escape(cell.missing)}">${escape(short)}</span>`;
    return element('td', { class: `${kind} dim`.trim() }, reason, publishedHtml(cell.published, null, digits));
  }
  const mean = Number.isFinite(cell.mean) ? cell.mean.toFixed(digits) : String(cell.mean);
  const spread = cell.std === null ? '' : `± ${cell.std.toFixed(digits)} `;
  const count = average ? '' : `<small>(${formatCount(cell.n)})</small>`;
  const flag = cell.incomplete
    ? `<abbr class="flag" title="not all of its runs are finished">${INCOMPLETE_MARK}</abbr>`
    : '';
  const detail = spread === '' && count === '' ? '' : ` <span class="spread">${spread}${count}</span>`;
  const classes = [kind, cell.best ? 'best' : ''].filter((name) => name !== '').join(' ');
  const figure = cell.best ? `<strong>${escape(mean)}</strong>` : `<span>${escape(mean)}</span>`;
  return element(
    'td',
    { class: classes === '' ? undefined : classes },
    `${figure}${flag}${detail}`,
    publishedHtml(cell.published, cell.mean, digits),
  );
}

function parametersHtml(range: ParameterRange | null): string {
  if (range === null) return MISSING;
  const { least, most } = range;
  return least === most ? formatCount(least) : `${formatCount(least)}–${formatCount(most)}`;
}

/** Neighbouring columns of one group. */
function columnGroups(columns: readonly TableColumn[]): { group: string | null; columns: TableColumn[] }[] {
  const groups: { group: string | null; columns: TableColumn[] }[] = [];
  for (const column of columns) {
    const last = groups.at(-1);
    if (last !== undefined && last.group === column.group) last.columns.push(column);
    else groups.push({ group: column.group, columns: [column] });
  }
  return groups;
}

function headHtml({ columns }: PaperTable): string {
  const groups = columnGroups(columns);
  const grouped = groups.some(({ group }) => group !== null);
  const span = grouped ? ' rowspan="2"' : '';
  const columnHead = (column: TableColumn): string => {
    const facts = [
      ...(column.average ? [] : [metricFacts(column.metric).label]),
      ...(column.lower_is_better ? ['lower is better'] : []),
      ...(column.test_examples === null ? [] : [`${formatCount(column.test_examples)} tested`]),
    ];
    const small = facts.map((fact) => `<small>${escape(fact)}</small>`).join(' ');
    return `<th scope="col"${column.average ? ' class="average"' : ''}>${escape(column.title)} ${small}</th>`;
  };
  const first = `<th scope="col"${span}>Method</th><th scope="col"${span}>Trainable <small>parameters per task</small></th>`;
  if (!grouped) return `<tr>${first}${columns.map(columnHead).join('')}</tr>`;
  const over = groups.map(({ group, columns: own }) =>
    group === null
      ? `<td colspan="${own.length}"></td>`
      : `<th scope="colgroup" colspan="${own.length}">${escape(group)}</th>`,
  );
  return `<tr class="groups">${first}${over.join('')}</tr><tr>${columns.map(columnHead).join('')}</tr>`;
}

/** Names of variants are long words: they may break after an underscore. */
function breakable(name: string): string {
  return escape(name).replace(/_/g, '_<wbr/>');
}

function rowHtml(row: TableRow, columns: readonly TableColumn[], style: SeriesStyle): string {
  const key = `<span class="dot ${colorClass(style.slot)}${style.open ? ' hollow' : ''}"></span>`;
  // What its folders are called, where the title does not tell.
  const bare = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const name = bare(row.title) === bare(row.label) ? '' : ` <small>${breakable(row.label)}</small>`;
  const cells = row.cells.map((cell, i) => cellHtml(cell, columns[i]!));
  return (
    `<tr><th scope="row">${key}${breakable(row.title)}${name}</th>` +
    `<td>${parametersHtml(row.trainable_parameters)}</td>${cells.join('')}</tr>`
  );
}

function bodyHtml(table: PaperTable, styleOf: (label: string) => SeriesStyle): string {
  const { columns, rows } = table;
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => {
      const own = rows.filter((row) => row.group === group).map((row) => rowHtml(row, columns, styleOf(row.label)));
      // Over the sticky column only, so that it stays in view when the table is scrolled.
      const heading =
        group === null
          ? ''
          : `<tr class="row-group"><th scope="rowgroup">${escape(group)}</th><td colspan="${columns.length + 1}"></td></tr>`;
      return `<tbody>${heading}${own.join('\n')}</tbody>`;
    })
    .join('\n');
}

function footHtml({ baseline, columns }: PaperTable): string {
  if (baseline === null) return '';
  const values = baseline.values.map((value, i) => {
    const shown = value === null || !Number.isFinite(value) ? MISSING : value.toFixed(columns[i]?.digits ?? 1);
    return `<td class="dim">${shown}</td>`;
  });
  return `<tfoot><tr><th scope="row">${escape(baseline.title)}</th><td></td>${values.join('')}</tr></tfoot>`;
}

/** How to read the cells; what is said of each table stands in its caption. */
export function marksHtml(tables: readonly PaperTable[]): string {
  const cells = tables.flatMap(({ rows }) => rows.flatMap((row) => row.cells));
  const sentences = [
    ...(cells.some((cell) => isScore(cell) && cell.best) ? ['Bold and shaded: best of the column.'] : []),
    ...(cells.some(({ published }) => published !== null)
      ? ['In square brackets: the number in the paper, and beside it the difference of this one to it.']
      : []),
  ];
  return sentences.length === 0 ? '' : `<p class="caption">${escape(sentences.join(' '))}</p>\n`;
}

/** The same as a picture, under the table; open where it is small. */
function pictureHtml(table: PaperTable, style: (label: string) => SeriesStyle): string {
  if (!canCompare(table)) return '';
  const items = table.rows.map(({ label, title }) => ({ label: title, style: style(label) }));
  const baseline =
    table.baseline === null ? '' : '<li><span class="tick-key"></span>always the most frequent label</li>';
  const open = table.rows.length * table.columns.length <= 40 ? ' open=""' : '';
  return (
    `<details${open}><summary>As a picture</summary><div class="panel">${legend(items, { more: baseline })}` +
    comparisonChart(table, { width: 1040, style, variant: 'wide' }) +
    comparisonChart(table, { width: 334, style, variant: 'narrow' }) +
    `</div></details>`
  );
}

/** A table with its heading, caption and picture. */
export function tableSection(table: PaperTable, id: string, style: (label: string) => SeriesStyle): string {
  const caption = table.caption.map(escape).join(' ');
  const kind = table.columns.length > DENSE_ABOVE ? 'scores dense' : 'scores';
  const inner =
    `<caption>${escape(table.title)}</caption>` +
    `<thead>${headHtml(table)}</thead>${bodyHtml(table, style)}${footHtml(table)}`;
  return (
    `<section id="${escape(id)}"><h3>${escape(table.title)}</h3>\n${scrolling(table.title, inner, kind)}\n` +
    `${caption === '' ? '' : `<p class="caption">${caption}</p>\n`}${pictureHtml(table, style)}</section>`
  );
}
