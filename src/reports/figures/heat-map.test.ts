import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkWellFormed } from '../../testing/well-formed.js';
import { STYLE } from '../style.js';
import { colorScale, heatMap, STRONG_FROM } from './heat-map.js';

const nasty = `<b a="1">&'</b>`;

test('heat maps: scales of one sign and of two, numbers where they fit, and readable on every colour', () => {
  const one = colorScale([0.52, 0.9]);
  assert.ok(one.low <= 0.52 && one.low >= 0.4 && one.high >= 0.9 && one.high <= 1);
  assert.equal(one.at(one.high).share, 1);
  const two = colorScale([-0.2, 0.7]);
  assert.equal(two.low, -two.high);
  assert.deepEqual([two.at(-two.high), two.at(0)], [{ tone: 'negative', share: 1 }, { tone: 'positive', share: 0 }]); // prettier-ignore
  for (const values of [[0], [1, 1], [-0.3, -0.1], [0.999, 1]]) {
    const { low, high, at } = colorScale(values);
    assert.ok(low < high && values.every((value) => at(value).share >= 0 && at(value).share <= 1), String(values));
  }
  const draw = (count: number, width: number): string => {
    const names = Array.from({ length: count }, (_, i) => `${nasty} ${i}`);
    const values = names.map((_, i) => names.map((__, j) => (i === j ? 1 : i + j === 1 ? NaN : -0.5)));
    return heatMap(names, values, { width, scale: colorScale([-0.5, 0.5]), texts: { title: nasty } });
  };
  for (const svg of [draw(4, 500), draw(20, 340)]) {
    checkWellFormed(svg);
    assert.doesNotMatch(svg, /NaN|undefined/);
  }
  assert.ok(draw(4, 500).includes('−0.50</text>') && !/class="value/.test(draw(20, 340)));
});

const hex = (color: string): number[] => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
const luminance = (rgb: readonly number[]): number => {
  const [r, g, b] = rgb.map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
};
const contrast = (a: readonly number[], b: readonly number[]): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
};

test('colours of text and lines have the contrast that WCAG asks for, light and dark', () => {
  for (const theme of [STYLE.slice(0, STYLE.indexOf('@media')), STYLE.slice(STYLE.indexOf('@media'))]) {
    const color = (name: string): number[] => hex(new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(theme)![1]!);
    for (const name of ['ink', 'soft']) {
      for (const ground of ['page', 'panel', 'best']) {
        assert.ok(contrast(color(name), color(ground)) >= 4.5, `${name} on ${ground}`);
      }
    }
    assert.ok(contrast(color('accent'), color('best')) >= 4.5);
    for (let slot = 0; slot < 8; slot++) assert.ok(contrast(color(`s${slot}`), color('panel')) >= 3, `s${slot}`);
    for (const tone of ['positive', 'negative']) {
      for (let share = 0; share <= 1; share += 0.05) {
        const ground = color('panel').map((value, i) => value + share * (color(tone)[i]! - value));
        const text = color(share > STRONG_FROM ? 'strong' : 'weak');
        assert.ok(contrast(text, ground) >= 4.4, `${tone} ${share.toFixed(2)}: ${contrast(text, ground).toFixed(2)}`);
      }
    }
  }
});
