/** Style sheet of the report: one page, light and dark, from phones to wide screens. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f7f9; --ink: #1b2126; --soft: #57616b; --rule: #d9dee3; --grid: #e6e9ed;
  --best: #e3f1e9; --accent: #0b6e4f;
  --s0: #0072b2; --s1: #d55e00; --s2: #008f68; --s3: #b5538f;
  --s4: #b07b00; --s5: #3f9fd6; --s6: #7a4b1f; --s7: #66707a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --panel: #1c2227; --ink: #e6eaed; --soft: #a3adb6; --rule: #39424a; --grid: #2b3239;
    --best: #1d3a2e; --accent: #5fd0a5;
    --s0: #56a8e8; --s1: #ff8a4c; --s2: #2ecfa2; --s3: #e79cc9;
    --s4: #f0c04a; --s5: #a3d6f5; --s6: #c99b6c; --s7: #a9b4bf;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 28px 16px 56px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.25rem; margin: 40px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 24px 0 10px; }
h1, h2, h3, p, li, dd, dt { overflow-wrap: anywhere; }
.subtitle { color: var(--soft); margin: 0; max-width: 75ch; }
figure { margin: 0; }
figcaption { font-weight: 600; font-size: 0.92rem; margin-bottom: 6px; }
.caption { color: var(--soft); font-size: 0.85rem; margin: 8px 0 0; max-width: 90ch; }
.panel { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; padding: 12px; }
.multiples {
  display: grid; gap: 14px; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr));
}
.multiples .chart { max-width: 520px; }
.narrow { display: none; }
.scroll { overflow-x: auto; margin-top: 14px; border: 1px solid var(--rule); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 8px 14px; text-align: right; white-space: nowrap; border-top: 1px solid var(--rule); }
thead th { border-top: 0; background: var(--panel); }
tr > :first-child { text-align: left; }
tbody th { font-weight: 500; min-width: 9.5rem; white-space: normal; }
tbody th small { display: block; color: var(--soft); font-weight: 400; }
td small, .dim { color: var(--soft); }
td.best { background: var(--best); }
td.best strong { color: var(--accent); }
tfoot th { font-weight: 600; }
tfoot tr:first-child > * { border-top-width: 2px; }
.key {
  display: inline-block; width: 0.65em; height: 0.65em; margin-right: 0.4em;
  border-radius: 50%; background: currentColor;
}
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; font-size: 0.92rem; }
dt { color: var(--soft); }
dd { margin: 0; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { font-size: 11px; fill: var(--soft); }
.chart text.label { fill: var(--ink); }
.chart text.task { fill: var(--ink); font-size: 13px; }
.chart .grid { stroke: var(--grid); fill: none; }
.chart .rule { stroke: var(--rule); fill: none; }
.chart .axis { stroke: var(--soft); fill: none; }
.chart .frame { stroke: var(--rule); fill: none; }
.chart .line { stroke: currentColor; stroke-width: 1.8; fill: none; stroke-linejoin: round; }
.chart .raw { stroke: currentColor; stroke-width: 1; fill: none; opacity: 0.28; }
.chart .majority { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 3 2; fill: none; }
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); }
.s4 { color: var(--s4); } .s5 { color: var(--s5); } .s6 { color: var(--s6); } .s7 { color: var(--s7); }
@media (max-width: 640px) {
  main { padding: 20px 16px 40px; }
  h1 { font-size: 1.4rem; }
  .wide { display: none; }
  .narrow { display: block; }
  table { font-size: 0.88rem; }
  th, td { padding: 7px 8px; }
  thead th { white-space: normal; vertical-align: bottom; }
  tbody th { min-width: 7.5rem; }
  .spread { display: block; font-size: 0.78rem; color: var(--soft); }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
}
`.trim();
