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

/** A chart: scales with its container, read out as one image by its title. */
export function chartRoot(width: number, height: number, title: string, ...children: string[]): string {
  const attributes = { class: 'chart', viewBox: `0 0 ${px(width)} ${px(height)}`, role: 'img', 'aria-label': title };
  return element('svg', attributes, element('title', {}, escapeMarkup(title)), ...children);
}

/** Class that sets the colour; eight of them, told apart by shape or dash where there are more. */
export function colorClass(slot: number): string {
  return `s${slot % 8}`;
}

/** Beyond the eighth series the colours come again, dashed. */
export function dash(slot: number): string | undefined {
  return slot < 8 ? undefined : slot < 16 ? '6 3' : '2 3';
}

/** A filled marker whose shape differs from slot to slot, so that colour is not the only difference. */
export function marker(slot: number, x: number, y: number, radius: number): string {
  const at = (dx: number, dy: number): string => `${px(x + dx * radius)} ${px(y + dy * radius)}`;
  const shape = [
    () => element('circle', { cx: x, cy: y, r: radius }),
    () => element('path', { d: `M${at(-0.9, -0.9)}L${at(0.9, -0.9)}L${at(0.9, 0.9)}L${at(-0.9, 0.9)}Z` }),
    () => element('path', { d: `M${at(0, -1.25)}L${at(1.25, 0)}L${at(0, 1.25)}L${at(-1.25, 0)}Z` }),
    () => element('path', { d: `M${at(0, -1.15)}L${at(1.15, 0.9)}L${at(-1.15, 0.9)}Z` }),
  ][slot % 4]!;
  return element('g', { class: colorClass(slot), fill: 'currentColor' }, shape());
}

/** About how wide a text of 11 px is in a system font; on the generous side. */
export function textWidth(content: string): number {
  return [...content].length * 6.2;
}

/** Text of `size` px cut to fit `width` pixels, with an ellipsis. */
export function fitText(content: string, width: number, size = 11): string {
  const room = Math.max(1, Math.floor((width * 11) / size / 6.2));
  const characters = [...content];
  return characters.length <= room ? content : `${characters.slice(0, room - 1).join('')}…`;
}

export interface LegendItem {
  label: string;
  /** The key, drawn in a box 18 px wide around (x, y). */
  draw(x: number, y: number): string;
}

/** Keys and labels from left to right, broken into lines of 17 px that fit `width`. */
export function legend(
  items: LegendItem[],
  left: number,
  top: number,
  width: number,
): { markup: string; height: number } {
  const lineHeight = 17;
  let [x, line] = [left, 0];
  const parts = items.map((item) => {
    const label = fitText(item.label, width - 22);
    const itemWidth = 22 + textWidth(label) + 10;
    if (x > left && x + itemWidth - 10 > left + width) [x, line] = [left, line + 1];
    const y = top + line * lineHeight + 9;
    const markup = item.draw(x + 9, y) + text(label, { x: x + 22, y: y + 4, class: 'label' });
    x += itemWidth;
    return markup;
  });
  return { markup: parts.join(''), height: items.length === 0 ? 0 : (line + 1) * lineHeight };
}
