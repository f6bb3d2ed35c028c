import { niceStep } from '../scale.js';
import {
  chartRoot,
  element,
  escapeMarkup,
  fitText,
  text,
  textWidth,
  type Attributes,
  type ChartTexts,
} from '../svg.js';

/** The share of the full colour from which numbers are written light on dark (in dark mode: dark on light). */
export const STRONG_FROM = 0.7;

export interface ColorScale {
  /** Ends of the legend. Values beyond them do not occur. */
  low: number;
  high: number;
  /** Colour of a value: its class, and how much of it, from 0 to 1. */
  at: (value: number) => { tone: 'positive' | 'negative'; share: number };
}

/**
 * Colours over the values that occur: from the lowest to the highest where all are of one sign, from -m to m around a
 * neutral zero where they are not.
 */
export function colorScale(values: readonly number[]): ColorScale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const step = niceStep(Math.max(most - least, 0.01), 4);
  const down = (value: number): number => Number((Math.floor(value / step + 1e-9) * step).toPrecision(6));
  const up = (value: number): number => Number((Math.ceil(value / step - 1e-9) * step).toPrecision(6));
  if (least < 0 && most > 0) {
    const end = Math.min(1, up(Math.max(-least, most)));
    return {
      low: -end,
      high: end,
      at: (value) => ({ tone: value < 0 ? 'negative' : 'positive', share: Math.min(1, Math.abs(value) / end) }),
    };
  }
  const high = Math.min(1, Math.max(up(most), down(least) + step));
  const low = Math.max(-1, Math.min(down(least), high - step));
  const span = high - low;
  return least < 0
    ? { low, high, at: (value) => ({ tone: 'negative', share: Math.min(1, (high - value) / span) }) }
    : { low, high, at: (value) => ({ tone: 'positive', share: Math.min(1, (value - low) / span) }) };
}

interface Square {
  x: number;
  y: number;
  size: number;
}

export interface HeatMapOptions {
  width: number;
  texts: ChartTexts;
  scale: ColorScale;
}

const clean = (value: number): string =>
  !Number.isFinite(value)
    ? 'unknown'
    : value
        .toFixed(2)
        .replace(/^-0\.00$/, '0.00')
        .replace('-', '−');

/** The size at which the longest of the numbers fits into a cell; null where it could not be read. */
function fontFor(values: readonly number[], size: number): number | null {
  const longest = Math.max(4, ...values.map((value) => clean(value).length));
  const font = Math.min(12, (size - 3) / (longest * 0.62));
  return font < 8 ? null : font;
}

function cellMarkup(value: number, scale: ColorScale, box: Square, font: number | null): string {
  if (!Number.isFinite(value)) return element('rect', { ...square(box), class: 'cell none' });
  const { tone, share } = scale.at(value);
  const fill = element('rect', { ...square(box), class: `cell ${tone}`, 'fill-opacity': share.toFixed(3) });
  if (font === null) return fill;
  return (
    fill +
    text(clean(value), {
      x: box.x + box.size / 2,
      y: box.y + box.size / 2 + font * 0.35,
      class: share > STRONG_FROM ? 'value strong' : 'value',
      'text-anchor': 'middle',
      style: `font-size:${font.toFixed(1)}px`,
    })
  );
}

const square = ({ x, y, size }: Square): Attributes => ({
  x,
  y,
  width: size,
  height: size,
});

/** A bar with the scale's colours and its ends. */
function scaleBar({ low, high, at }: ColorScale, x: number, y: number, width: number): string {
  const steps = 24;
  const cells = Array.from({ length: steps }, (_, i) => {
    const { tone, share } = at(low + ((i + 0.5) / steps) * (high - low));
    const attributes = { x: x + (i * width) / steps, y, width: width / steps + 0.3, height: 9 };
    return element('rect', { ...attributes, class: `tone ${tone}`, 'fill-opacity': share.toFixed(3) });
  });
  const frame = element('rect', { x, y, width, height: 9, class: 'frame' });
  const middle =
    low < 0 && high > 0 ? text('0', { x: x + width / 2, y: y + 22, class: 'tick', 'text-anchor': 'middle' }) : '';
  return [
    ...cells,
    frame,
    text(clean(low), { x, y: y + 22, class: 'tick' }),
    middle,
    text(clean(high), { x: x + width, y: y + 22, class: 'tick', 'text-anchor': 'end' }),
  ].join('');
}

/**
 * A square matrix as coloured cells with their numbers, as far as these fit; names at the left and, slanted, on top.
 * The diagonal, which says nothing, is left pale.
 *
 * @param values [n][n], in the order of `names`
 */
export function heatMap(
  names: readonly string[],
  values: readonly (readonly number[])[],
  options: HeatMapOptions,
): string {
  const { width, texts, scale } = options;
  const longest = Math.max(...names.map(textWidth));
  const left = Math.min(longest + 8, width * 0.34);
  // Slanted names reach over the last column to the right: they are cut to what is there.
  const size = Math.min(60, (width - left - 34) / names.length);
  const off = values.flatMap((row, i) => row.filter((value, j) => i !== j && Number.isFinite(value)));
  const font = fontFor(off, size);
  const slant = Math.min(longest * 0.71 + 14, 96);
  const top = slant;
  const grid = size * names.length;
  const rows = names.map((name, i) => {
    const y = top + i * size;
    const label = text(fitText(name, left - 6), {
      x: left - 6,
      y: y + size / 2 + 4,
      class: 'label',
      'text-anchor': 'end',
    });
    const cells = values[i]!.map((value, j) => {
      const box = { x: left + j * size, y, size };
      const hint = i === j ? name : `${name} and ${names[j]!}: ${clean(value)}`;
      const content =
        i === j ? element('rect', { ...square(box), class: 'cell self' }) : cellMarkup(value, scale, box, font);
      return element('g', {}, element('title', {}, escapeMarkup(hint)), content);
    });
    return label + cells.join('');
  });
  const columns = names.map((name, j) => {
    const x = left + (j + 0.5) * size;
    const room = Math.min((slant - 10) / 0.71, (width - x) / 0.71 - 4);
    return text(fitText(name, room), {
      transform: `translate(${(x + 3).toFixed(1)} ${(top - 5).toFixed(1)}) rotate(-45)`,
      class: 'label',
    });
  });
  const bar = scaleBar(scale, left, top + grid + 10, Math.min(grid, 200));
  return chartRoot(width, top + grid + 36, texts, ...columns, ...rows, bar);
}
