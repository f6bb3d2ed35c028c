import { formatCount, formatDuration } from '../util/format.js';
import { methodStyles } from './figures/method-styles.js';
import { marksHtml, scrolling, tableSection } from './html-table.js';
import { STYLE } from './style.js';
import { escapeMarkup as escape } from './svg.js';
import type { Figure, Report, StageTiming } from './types.js';

/** Nothing may be loaded or run, whatever the texts of a report hold. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

const MISSING = '–';

/** Problems that are shown before the rest is folded away. */
const PROBLEMS_SHOWN = 8;

interface Part {
  id: string;
  title: string;
  html: string;
  /** Entries below this one in the table of contents. */
  parts: { id: string; title: string }[];
}

function timingsHtml(timings: readonly StageTiming[]): string {
  const megabytes = (value: number): string => (value > 0 ? `${formatCount(value)} MB` : MISSING);
  const row = (timing: StageTiming): string => {
    const perStep = timing.steps > 0 ? formatDuration((timing.wall_seconds / timing.steps) * 1000) : MISSING;
    const steps = timing.steps > 0 ? formatCount(timing.steps) : MISSING;
    const cells = [steps, formatDuration(timing.wall_seconds * 1000), perStep, megabytes(timing.peak_rss_mb)];
    return `<tr><th scope="row">${escape(timing.stage)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  };
  const head = ['Stage', 'Steps', 'Wall time', 'Wall time per step', 'Peak memory'];
  const columns = head.map((title) => `<th scope="col">${title}</th>`).join('');
  const total = timings.reduce((sum, timing) => sum + timing.wall_seconds, 0);
  const peak = Math.max(...timings.map((timing) => timing.peak_rss_mb));
  const foot =
    timings.length > 1
      ? `<tfoot><tr><th scope="row">Together</th><td></td><td>${formatDuration(total * 1000)}</td><td></td>` +
        `<td>${megabytes(peak)}</td></tr></tfoot>`
      : '';
  return scrolling(
    'Time and memory by stage',
    `<caption>Time and memory by stage</caption><thead><tr>${columns}</tr></thead>` +
      `<tbody>${timings.map(row).join('\n')}</tbody>${foot}`,
  );
}

function listHtml(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escape(item)}</li>`).join('\n')}</ul>`;
}

function problemsHtml(problems: readonly string[]): string {
  if (problems.length <= PROBLEMS_SHOWN) return listHtml(problems);
  const rest = problems.slice(PROBLEMS_SHOWN);
  return (
    listHtml(problems.slice(0, PROBLEMS_SHOWN)) +
    `<details><summary>${formatCount(rest.length)} more</summary>${listHtml(rest)}</details>`
  );
}

function figureHtml({ id, title, caption, svg, wide }: Figure): string {
  const below = caption === '' ? '' : `<figcaption class="caption">${escape(caption)}</figcaption>`;
  const opening = wide ? '<figure>' : '<figure class="half">';
  return `<section id="${escape(id)}"><h3>${escape(title)}</h3>\n${opening}${svg}${below}</figure></section>`;
}

/** Links to the parts of the page, where there are so many that one looks for them. */
function contentsHtml(parts: readonly Part[]): string {
  if (parts.reduce((sum, part) => sum + part.parts.length, 0) < 3) return '';
  const link = ({ id, title }: { id: string; title: string }): string =>
    `<a href="#${escape(id)}">${escape(title)}</a>`;
  const items = parts.map((part) => {
    const below = part.parts.map((entry) => `<li>${link(entry)}</li>`);
    return `<li>${link(part)}${below.length === 0 ? '' : `<ul>${below.join('')}</ul>`}</li>`;
  });
  return `<nav aria-label="Contents"><ul>${items.join('\n')}</ul></nav>`;
}

function partsOf(report: Report): Part[] {
  const style = methodStyles(report.tables.flatMap(({ rows }) => rows.map(({ label }) => label)));
  const tables = report.tables.map((table, i) => ({ id: `table-${i + 1}`, table }));
  const sections = tables.map(({ id, table }) => tableSection(table, id, style));
  const parts: Part[] = [
    {
      id: 'results',
      title: 'Results',
      html: sections.length > 0 ? marksHtml(report.tables) + sections.join('\n') : '<p>No results yet.</p>',
      parts: tables.map(({ id, table: { title } }) => ({ id, title })),
    },
  ];
  if (report.problems.length > 0) {
    parts.push({ id: 'problems', title: 'Not finished', html: problemsHtml(report.problems), parts: [] });
  }
  if (report.figures.length > 0) {
    parts.push({
      id: 'figures',
      title: 'Figures',
      html: report.figures.map(figureHtml).join('\n'),
      parts: report.figures.map(({ id, title }) => ({ id, title })),
    });
  }
  if (report.facts.length > 0 || report.timings.length > 0) {
    const facts = report.facts.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`);
    const list = facts.length > 0 ? `<dl>${facts.join('\n')}</dl>` : '';
    const html = `${list}${report.timings.length > 0 ? timingsHtml(report.timings) : ''}`;
    parts.push({ id: 'run', title: 'How it was run', html, parts: [] });
  }
  if (report.notes.length > 0) parts.push({ id: 'notes', title: 'Notes', html: listHtml(report.notes), parts: [] });
  return parts;
}

/**
 * One self-contained page: tables, figures, how it was run, notes. It loads nothing and runs no script; every text
 * of the report is escaped. Only the figures' `svg` is taken as it is.
 */
export function renderReport(report: Report): string {
  const parts = partsOf(report);
  const subtitle = report.subtitle === '' ? '' : `<p class="subtitle">${escape(report.subtitle)}</p>`;
  const sections = parts.map(({ id, title, html }) => `<section id="${id}"><h2>${title}</h2>\n${html}</section>`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8"/>',
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}"/>`,
    `<title>${escape(report.title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<header><h1>${escape(report.title)}</h1>${subtitle}${contentsHtml(parts)}</header>`,
    `<main>\n${sections.join('\n')}\n</main>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
