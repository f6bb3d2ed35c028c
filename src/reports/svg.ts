/**
 * Building blocks of the charts: escaped markup, markers, legends. The pieces are meant to stand inline in the page of
 * html.ts, whose style sheet holds the colours: `s0` … `s7` set `color`, and strokes and fills use `currentColor`.
 */

export type Attributes = Record<string, string | number | undefined>;

/** Escapes text for element content and quoted attributes of HTML and XML; control characters become U+FFFD. */
export function escapeMarkup(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;')
    .replace(/\p{Cc}/gu, (character) => (/[\n\t]/.test(character) ? character : '\uFFFD'));
}

/** Coordinates to a tenth of a pixel. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** An element; attribute values are escaped here, children must be markup already (use `escapeMarkup` for text). */
export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const pairs = Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [` ${key}="${typeof value === 'number' ? px(value) : escapeMarkup(value)}"`];
  });
  return children.length === 0
    ? `<${name}${pairs.join('')}/>`
    : `<${name}${pairs.join('')}>${children.join('')}</${name}>`;
}

export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escapeMarkup(content));
}

/** Characters of a title and of a description that are read out before it gets tiresome. */
const SPOKEN = 600;

/** A chart: scales with its container, read out as one image by its title and, where there is one, its description. */
export function chartRoot(
  width: number,
  height: number,
  { title, description = '', variant = '' }: ChartTexts,
  ...children: string[]
): string {
  const spoken = description.length > SPOKEN ? `${description.slice(0, SPOKEN - 1)}…` : description;
  const attributes = {
    class: variant === '' ? 'chart' : `chart ${variant}`,
    viewBox: `0 0 ${px(width)} ${px(height)}`,
    role: 'img',
    'aria-label': spoken === '' ? title : `${title}. ${spoken}`,
  };
  const desc = spoken === '' ? '' : element('desc', {}, escapeMarkup(spoken));
  return element('svg', attributes, element('title', {}, escapeMarkup(title)), desc, ...children);
}

export interface ChartTexts {
  title: string;
  /** What the picture shows, for those who cannot see it. */
  description?: string;
  /** Where it is shown: `wide` from tablets up, `narrow` on phones; everywhere when left out. */
  variant?: '' | 'wide' | 'narrow';
}

/** How a series is drawn wherever it appears: a colour and shape of its own, outlined or dashed where `open`. */
export interface SeriesStyle {
  slot: number;
  open: boolean;
}

/** Class that sets the colour; eight of them, told apart by dash where there are more. */
export function colorClass(slot: number): string {
  return `s${slot % 8}`;
}

/** Beyond the eighth series the colours come again, dotted; open ones are dashed. */
export function dash({ slot, open }: SeriesStyle): string | undefined {
  const dots = slot < 8 ? '' : slot < 16 ? '2 2.5' : '1 3';
  if (!open) return dots === '' ? undefined : dots;
  return dots === '' ? '6 3' : `7 3 ${dots}`;
}

/** Corners of each shape in units of the radius; the first is a circle. */
const SHAPES: readonly (readonly (readonly [number, number])[])[] = [
  [],
  [
    [-0.9, -0.9],
    [0.9, -0.9],
    [0.9, 0.9],
    [-0.9, 0.9],
  ],
  [
    [0, -1.25],
    [1.25, 0],
    [0, 1.25],
    [-1.25, 0],
  ],
  [
    [0, -1.15],
    [1.15, 0.9],
    [-1.15, 0.9],
  ],
  [
    [-1.15, -0.9],
    [1.15, -0.9],
    [0, 1.15],
  ],
  [
    [-0.4, -1.2],
    [0.4, -1.2],
    [0.4, -0.4],
    [1.2, -0.4],
    [1.2, 0.4],
    [0.4, 0.4],
    [0.4, 1.2],
    [-0.4, 1.2],
    [-0.4, 0.4],
    [-1.2, 0.4],
    [-1.2, -0.4],
    [-0.4, -0.4],
  ],
  [
    [0.5, -1],
    [1.05, 0],
    [0.5, 1],
    [-0.5, 1],
    [-1.05, 0],
    [-0.5, -1],
  ],
  [
    [-1.2, -0.6],
    [1.2, -0.6],
    [1.2, 0.6],
    [-1.2, 0.6],
  ],
];

/** A marker whose shape differs from slot to slot, so that colour is not the only difference. */
export function marker({ slot, open }: SeriesStyle, x: number, y: number, radius: number): string {
  // Where colours come again, shapes do not come with them.
  const corners = SHAPES[(slot + 3 * Math.floor(slot / 8)) % 8]!;
  const path = corners.map(([dx, dy]) => `${px(x + dx * radius)} ${px(y + dy * radius)}`).join('L');
  const shape =
    corners.length === 0 ? element('circle', { cx: x, cy: y, r: radius }) : element('path', { d: `M${path}Z` });
  return element('g', { class: `${colorClass(slot)} ${open ? 'hollow' : 'solid'}` }, shape);
}

/** Widths at 11 px in a wide system font, so that what is measured fits in any. */
function characterWidth(character: string): number {
  if (/[ijl.,:;|'!]/.test(character)) return 3.6;
  if (/[ frtI()[\]/-]/.test(character)) return 4.6;
  if (/[MWmw@%]/.test(character)) return 10.6;
  return /[A-Z]/.test(character) ? 7.9 : 7;
}

/** About how wide a text of 11 px is in a system font; on the generous side. */
export function textWidth(content: string): number {
  return [...content].reduce((sum, character) => sum + characterWidth(character), 0);
}

/** Text of `size` px cut to fit `width` pixels, with an ellipsis. */
export function fitText(content: string, width: number, size = 11): string {
  const room = (width * 11) / size;
  if (textWidth(content) <= room) return content;
  const kept = [...content];
  while (kept.length > 1 && textWidth(`${kept.join('')}…`) > room) kept.pop();
  return `${kept.join('')}…`;
}

/** A key as it stands beside its label: the series' line and marker. */
function keyMark(style: SeriesStyle, line: boolean): string {
  const stroke = element('path', {
    d: 'M1 7h26',
    class: `line ${colorClass(style.slot)}`,
    'stroke-dasharray': dash(style),
  });
  return element(
    'svg',
    { class: 'chart key', viewBox: '0 0 28 14', 'aria-hidden': 'true' },
    line ? stroke : '',
    marker(style, 14, 7, 4.5),
  );
}

export interface LegendItem {
  label: string;
  style: SeriesStyle;
}

/** Keys and labels as a list that breaks into lines as the page does. Goes with one chart or several. */
export function legend(items: readonly LegendItem[], { line = true, more = '' } = {}): string {
  const entries = items.map(({ label, style }) => element('li', {}, keyMark(style, line), escapeMarkup(label)));
  return element('ul', { class: 'legend' }, ...entries, more);
}

/** Charts beside each other, each under its title; `notes` follow the chart they belong to. */
export function smallMultiples(charts: readonly { title: string; svg: string; notes?: readonly string[] }[]): string {
  const panels = charts.map(({ title, svg, notes = [] }) => {
    const below = notes.map((note) => element('p', { class: 'note' }, escapeMarkup(note)));
    return element('figure', { class: 'panel' }, element('figcaption', {}, escapeMarkup(title)), svg, ...below);
  });
  return element('div', { class: 'multiples' }, ...panels);
}
