import { comparisonChart } from './comparison-chart.js';
import { averageMajority, averageOf, bestIndices, cellOf, methodsOf, sectionsOf, type Section } from './comparison.js';
import {
  formatCount,
  formatDuration,
  formatMegabytes,
  formatParameters,
  formatScore,
  MISSING,
  sectionCaption,
  shotsTitle,
} from './format.js';
import { lineChart, smoothingNote } from './line-chart.js';
import { STYLE } from './style.js';
import { colorClass, escapeMarkup as escape } from './svg.js';
import type { Chart, Report, ResultCell, StageTiming } from './types.js';

/** Nothing may be loaded or run, whatever the texts of a report hold. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** A table that scrolls within itself where the screen is narrower. */
function scrolling(label: string, head: string, body: string, foot = ''): string {
  const footer = foot === '' ? '' : `<tfoot>${foot}</tfoot>`;
  return (
    `<div class="scroll" role="region" tabindex="0" aria-label="${escape(label)}">` +
    `<table><thead>${head}</thead><tbody>${body}</tbody>${footer}</table></div>`
  );
}

function scoreCell(cell: ResultCell | undefined, best: boolean): string {
  if (cell === undefined) return `<td class="dim">${MISSING}</td>`;
  const mean = escape(formatScore(cell.mean));
  const spread = cell.std === null ? '' : `± ${escape(formatScore(cell.std))} `;
  const detail = `<span class="spread">${spread}<small>(${formatCount(cell.n)})</small></span>`;
  const figures = `${best ? `<strong>${mean}</strong>` : mean} ${detail}`;
  return best ? `<td class="best">${figures}</td>` : `<td>${figures}</td>`;
}

function resultsHtml(section: Section, slots: readonly string[]): string {
  const { rows, methods } = section;
  const withMajority = rows.some((row) => row.majority !== null);
  const majority = (value: string): string => (withMajority ? `<td class="dim">${value}</td>` : '');
  const columns = methods.map(
    (method) => `<th scope="col"><span class="key ${colorClass(slots.indexOf(method))}"></span>${escape(method)}</th>`,
  );
  if (withMajority) columns.push('<th scope="col">majority</th>');
  const head = `<tr><th scope="col">Task</th>${columns.join('')}</tr>`;
  const body = rows.map((row) => {
    const best = bestIndices(methods.map((method) => cellOf(row, method)?.mean));
    const detail = `${row.task} · ${row.metric} · ${formatCount(row.test_examples)} test examples`;
    const cells = methods.map((method, index) => scoreCell(cellOf(row, method), best.has(index)));
    const name = `<th scope="row">${escape(row.title)} <small>${escape(detail)}</small></th>`;
    return `<tr>${name}${cells.join('')}${majority(formatScore(row.majority))}</tr>`;
  });
  const foot: string[] = [];
  if (rows.length > 1) {
    const averages = methods.map((method) => averageOf(section, method));
    const best = bestIndices(averages);
    const cells = averages.map((value, index) =>
      best.has(index)
        ? `<td class="best"><strong>${formatScore(value)}</strong></td>`
        : `<td>${formatScore(value)}</td>`,
    );
    foot.push(
      `<tr><th scope="row">Average</th>${cells.join('')}${majority(formatScore(averageMajority(section)))}</tr>`,
    );
  }
  const parameters = methods.map((method) => `<td>${formatParameters(section, method)}</td>`);
  foot.push(`<tr><th scope="row">Trainable parameters</th>${parameters.join('')}${majority('')}</tr>`);
  const title = shotsTitle(section.shots);
  return (
    `<h3>${escape(title)}</h3>\n<figure class="panel">` +
    `<div class="wide">${comparisonChart(section, { width: 1000, slots })}</div>` +
    `<div class="narrow">${comparisonChart(section, { width: 332, slots })}</div></figure>\n` +
    scrolling(`Results, ${title}`, head, body.join('\n'), foot.join('\n')) +
    `\n<p class="caption">${escape(sectionCaption(section).replace('Marked:', 'Shaded:'))}</p>`
  );
}

/** Order of the colours: those of the methods where methods are drawn, else the same in all charts if eight will do. */
function slotsOf(charts: readonly Chart[], methods: readonly string[]): string[] {
  const labels = [...new Set(charts.flatMap((chart) => chart.series.map((series) => series.label)))];
  if (labels.some((label) => methods.includes(label))) return [...new Set([...methods, ...labels])];
  return labels.length <= 8 ? labels : [];
}

function chartsHtml(section: string, charts: Chart[], methods: readonly string[]): string {
  const slots = slotsOf(charts, methods);
  const figures = charts.map(
    (chart) =>
      `<figure class="panel"><figcaption>${escape(chart.title)}</figcaption>${lineChart(chart, { slots })}</figure>`,
  );
  const note = smoothingNote(charts);
  const below = note === '' ? '' : `\n<p class="caption">${escape(note)}</p>`;
  return `<h3>${escape(section)}</h3>\n<div class="multiples">\n${figures.join('\n')}\n</div>${below}`;
}

function timingsHtml(timings: readonly StageTiming[]): string {
  const row = (timing: StageTiming): string => {
    const perStep = timing.steps > 0 ? `${formatCount((timing.wall_seconds / timing.steps) * 1000)} ms` : MISSING;
    const steps = timing.steps > 0 ? formatCount(timing.steps) : MISSING;
    const cells = [steps, formatDuration(timing.wall_seconds), perStep, formatMegabytes(timing.peak_rss_mb)];
    return `<tr><th scope="row">${escape(timing.stage)}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  };
  const head = ['Stage', 'Steps', 'Wall time', 'Wall time per step', 'Peak memory'];
  const total = timings.reduce((sum, timing) => sum + timing.wall_seconds, 0);
  const peak = Math.max(...timings.map((timing) => timing.peak_rss_mb));
  const foot =
    `<tr><th scope="row">Together</th><td></td><td>${formatDuration(total)}</td><td></td>` +
    `<td>${formatMegabytes(peak)}</td></tr>`;
  return scrolling(
    'Time and memory by stage',
    `<tr>${head.map((title) => `<th scope="col">${title}</th>`).join('')}</tr>`,
    timings.map(row).join('\n'),
    timings.length > 1 ? foot : '',
  );
}

/**
 * One self-contained page: results, curves, how it was run, notes. It loads nothing and runs no script; every text of
 * the report is escaped.
 */
export function renderReport(report: Report): string {
  const methods = methodsOf(report.results);
  const sections = sectionsOf(report.results).map((section) => resultsHtml(section, methods));
  const parts = [
    `<header><h1>${escape(report.title)}</h1><p class="subtitle">${escape(report.subtitle)}</p></header>`,
    `<h2>Results</h2>\n${sections.length > 0 ? sections.join('\n') : '<p>No results yet.</p>'}`,
  ];
  const charts = report.charts.filter((group) => group.charts.length > 0);
  if (charts.length > 0) {
    parts.push(
      `<h2>Curves</h2>\n${charts.map((group) => chartsHtml(group.section, group.charts, methods)).join('\n')}`,
    );
  }
  if (report.facts.length > 0 || report.timings.length > 0) {
    const facts = report.facts.map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`);
    const list = facts.length > 0 ? `<dl>${facts.join('\n')}</dl>` : '';
    parts.push(`<h2>How it was run</h2>\n${list}${report.timings.length > 0 ? timingsHtml(report.timings) : ''}`);
  }
  if (report.notes.length > 0) {
    parts.push(`<h2>Notes</h2>\n<ul>${report.notes.map((note) => `<li>${escape(note)}</li>`).join('\n')}</ul>`);
  }
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
    `<body><main>\n${parts.join('\n')}\n</main></body>`,
    '</html>',
    '',
  ].join('\n');
}
