/** Style sheet of the report: one page, light and dark, on paper, from phones to wide screens. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --ink: #1b2126; --soft: #57616b; --rule: #d9dee3; --grid: #e6e9ed;
  --best: #e3f1e9; --accent: #0b5f44;
  --s0: #0072b2; --s1: #d55e00; --s2: #008f68; --s3: #b5538f;
  --s4: #a87400; --s5: #3a8fc4; --s6: #7a4b1f; --s7: #66707a;
  --positive: #06437f; --negative: #782f00; --weak: #000000; --strong: #ffffff;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --panel: #1c2227; --ink: #e6eaed; --soft: #a3adb6; --rule: #39424a; --grid: #2b3239;
    --best: #1d3a2e; --accent: #6fdcb3;
    --s0: #56a8e8; --s1: #ff8a4c; --s2: #2ecfa2; --s3: #e79cc9;
    --s4: #f0c04a; --s5: #a3d6f5; --s6: #c99b6c; --s7: #a9b4bf;
    --positive: #4f9ee8; --negative: #e0803a; --weak: #ffffff; --strong: #000000;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 12px; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
header, main { max-width: 1120px; margin: 0 auto; padding: 0 16px; }
header { padding-top: 28px; }
main { padding-bottom: 56px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.25rem; margin: 40px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1.02rem; line-height: 1.35; margin: 28px 0 10px; }
h1, h2, h3, p, li, dd, dt, figcaption, summary { overflow-wrap: anywhere; }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: 2px; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--s0); outline-offset: 2px; }
.subtitle { color: var(--soft); margin: 0; max-width: 75ch; }
nav { margin-top: 16px; font-size: 0.88rem; line-height: 1.45; }
nav > ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 10px 36px; }
nav > ul > li > a { font-weight: 600; }
nav ul ul { list-style: none; padding: 0; margin: 3px 0 0; }
nav ul ul li { margin: 2px 0; color: var(--soft); }
figure { margin: 0; }
.panel > figcaption { font-weight: 600; font-size: 0.88rem; margin-bottom: 6px; }
.caption, .note { color: var(--soft); font-size: 0.85rem; margin: 8px 0 0; max-width: 90ch; }
.note { font-size: 0.78rem; line-height: 1.4; margin: 4px 0 0; }
.panel { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 12px; }
.multiples {
  display: grid; gap: 12px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr));
}
.multiples .chart { max-width: 520px; margin: 0 auto; }
.maps .multiples { grid-template-columns: repeat(auto-fill, minmax(min(100%, 470px), 1fr)); }
.half { max-width: 560px; }
.legend {
  list-style: none; display: flex; flex-wrap: wrap; gap: 3px 18px; margin: 0 0 10px; padding: 0;
  font-size: 0.85rem; line-height: 1.4;
}
.legend li { display: flex; align-items: center; gap: 6px; }
.chart.key { display: inline-block; flex: none; width: 28px; height: 14px; }
.tick-key { flex: none; height: 14px; margin: 0 12px; border-left: 2px dashed var(--soft); }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--soft); font-size: 0.88rem; margin-bottom: 8px; }
.scroll { position: relative; overflow-x: auto; border: 1px solid var(--rule); border-radius: 8px; }
dl + .scroll { margin-top: 18px; }
table {
  border-collapse: separate; border-spacing: 0; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums;
}
caption, .unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
th, td {
  padding: 7px 12px; text-align: right; vertical-align: top; white-space: nowrap; border-top: 1px solid var(--rule);
}
thead th, thead td { background: var(--panel); vertical-align: bottom; line-height: 1.3; }
thead tr:first-child > * { border-top: 0; }
thead tr:nth-child(2) > * { border-top: 0; padding-top: 2px; }
.groups [scope="colgroup"] {
  text-align: left; color: var(--soft); font-weight: 600;
  box-shadow: inset 0 -1px var(--rule); border-left: 1px solid var(--rule);
}
th small, td small { color: var(--soft); font-weight: 400; }
thead small { display: block; font-size: 0.76rem; }
th[scope="row"], th[scope="rowgroup"], thead tr:first-child > th:first-child {
  text-align: left; position: sticky; left: 0; z-index: 1; background: var(--page); border-right: 1px solid var(--rule);
}
thead tr:first-child > th:first-child { background: var(--panel); }
tbody th { font-weight: 500; }
th[scope="row"] { min-width: 8.5rem; max-width: 16rem; white-space: normal; overflow-wrap: break-word; }
th[scope="row"] small { display: block; font-size: 0.78rem; line-height: 1.3; }
tbody + tbody tr:first-child > *, tfoot tr:first-child > * { border-top-width: 2px; }
.row-group th { color: var(--soft); font-size: 0.85rem; font-weight: 600; padding-top: 10px; padding-bottom: 3px; }
.row-group + tr > * { border-top: 0; }
td small, .dim { color: var(--soft); }
td.average, th.average { border-left: 1px solid var(--rule); }
td.best { background: var(--best); }
td.best strong { color: var(--accent); }
.spread { color: var(--soft); }
.paper { display: block; font-size: 0.78rem; color: var(--soft); line-height: 1.4; }
.diff { color: var(--ink); }
abbr { text-decoration: none; cursor: help; }
.missing { font-size: 0.82rem; }
.dense th, .dense td { padding: 6px 9px; }
.dense .spread { display: block; font-size: 0.78rem; line-height: 1.4; }
.dense .missing { display: inline-block; max-width: 8em; white-space: normal; line-height: 1.3; }
.dot {
  position: absolute; left: 10px; top: 0.95em; width: 0.62em; height: 0.62em; border-radius: 50%;
  border: 2px solid currentColor; background: currentColor;
}
.scores tbody th[scope="row"] { padding-left: 27px; }
.dot.hollow { background: none; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; font-size: 0.92rem; }
dt { color: var(--soft); }
dd { margin: 0; }
ul { padding-left: 1.2em; }
main li { margin: 3px 0; }
main section > ul, main section > details > ul { font-size: 0.92rem; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart.narrow { display: none; }
.chart text { font-size: 11px; fill: var(--soft); }
.chart text.label { fill: var(--ink); }
.chart text.task { fill: var(--ink); font-size: 13px; }
.chart .grid { stroke: var(--grid); fill: none; }
.chart .rule { stroke: var(--rule); fill: none; }
.chart .axis { stroke: var(--soft); fill: none; }
.chart .frame { stroke: var(--rule); fill: none; }
.chart .line { stroke: currentColor; stroke-width: 1.8; fill: none; stroke-linejoin: round; }
.chart .bars { stroke: currentColor; stroke-width: 1.4; fill: none; }
.chart .raw { stroke: currentColor; stroke-width: 1; fill: none; opacity: 0.32; }
.chart .band { fill: currentColor; opacity: 0.16; }
.chart .end { stroke: currentColor; stroke-width: 1.8; fill: none; }
.chart .leader { stroke: var(--soft); stroke-width: 0.8; fill: none; }
.chart .solid { fill: currentColor; }
.chart .hollow { fill: var(--panel); stroke: currentColor; stroke-width: 1.6; }
.chart .majority { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 3 2; fill: none; }
.chart .cell { stroke: var(--panel); stroke-width: 1; }
.chart .positive { fill: var(--positive); }
.chart .negative { fill: var(--negative); }
.chart .self { fill: var(--grid); }
.chart .none { fill: none; stroke: var(--rule); }
.chart text.value { fill: var(--weak); }
.chart text.value.strong { fill: var(--strong); }
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); }
.s4 { color: var(--s4); } .s5 { color: var(--s5); } .s6 { color: var(--s6); } .s7 { color: var(--s7); }
@media (max-width: 640px) {
  header { padding-top: 20px; }
  main { padding-bottom: 40px; }
  h1 { font-size: 1.4rem; }
  .chart.wide { display: none; }
  .chart.narrow { display: block; }
  .panel { padding: 10px; }
  table { font-size: 0.88rem; }
  th, td, .dense th, .dense td { padding: 6px 8px; }
  th[scope="row"] { min-width: 6.5rem; max-width: 9rem; }
  .spread { display: block; font-size: 0.78rem; line-height: 1.4; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
  nav > ul { display: block; }
  nav > ul > li { margin-bottom: 8px; }
}
@media print {
  :root { color-scheme: light; }
  main, header { max-width: none; }
  nav { display: none; }
  .scroll { overflow: visible; border: 0; }
  .dense { font-size: 0.7rem; }
  .panel, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .panel, td.best, thead th, .chart { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`.trim();
