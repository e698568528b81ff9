import { describe, expect, test } from 'vitest';
import { scatterPanels } from './scatter-panels.js';

const cloud = (shift: number) =>
  [0, 1, 2].map((at) => ({ x: at * 1000 + shift, y: (at - 1) * 500, pair: 2 - at }));
const panel = (title: string, shift: number) => ({
  title,
  series: [
    { name: 'left', points: cloud(shift) },
    { name: 'right', points: cloud(shift + 100).map(({ x, y }) => ({ x, y })) },
  ],
});
const figure = scatterPanels({ title: 't', panels: ['a', 'b', 'c', 'd', '<e>'].map(panel) });

/** x and y of the dots of a picture, in px: circles, and paths that are moved to their place. */
const dots = (svg: string) =>
  [...svg.matchAll(/<circle [^>]*cy="([\d.]+)" cx="([\d.]+)"/g)]
    .map(([, y, x]) => [Number(x), Number(y)])
    .concat(
      [...svg.matchAll(/<path [^>]*transform="translate\(([\d.]+),([\d.]+)\)"/g)].map(
        ([, x, y]) => [Number(x), Number(y)],
      ),
    );

describe('scatterPanels', () => {
  test('draws every panel with its name, its dots and a line per pair', () => {
    expect(figure.svg).toContain('>a</text>');
    expect(figure.svg).toContain('&lt;e&gt;');
    expect(figure.svg).not.toMatch(/NaN|undefined|<e>/);
    const lines = figure.svg.match(/<path d="M[\d.]+,[\d.]+L/g) ?? [];
    expect(lines).toHaveLength(5 * 3);
  });

  test('keeps every dot inside the picture, at both widths', () => {
    for (const [svg, width] of [
      [figure.svg, 720],
      [figure.narrowSvg, 352],
    ] as const) {
      const height = Number(/viewBox="0 0 \d+ ([\d.]+)"/.exec(svg)![1]);
      const placed = dots(svg);
      // With the two of the legend.
      expect(placed).toHaveLength(5 * 6 + 2);
      for (const [x, y] of placed) {
        expect(x).toBeGreaterThan(0);
        expect(x).toBeLessThan(width);
        expect(y).toBeGreaterThan(0);
        expect(y).toBeLessThan(height);
      }
    }
  });

  test('has the plotted numbers, with the pairs, and says what the panels hold', () => {
    const lines = figure.csv.trim().split('\r\n');
    expect(lines[0]).toBe('panel,series,x,y,pair');
    expect(lines).toContain('a,left,0,-500,2');
    expect(lines).toHaveLength(1 + 5 * 6);
    expect(figure.description).toContain('a: 6 points.');
  });

  test('draws panels without points, and points in one place', () => {
    const one = { title: 'one', series: [{ name: 'left', points: [{ x: 3, y: 3 }] }] };
    const none = { title: 'none', series: [{ name: 'left', points: [] }] };
    const { svg } = scatterPanels({ title: 't', panels: [one, none] });
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(scatterPanels({ title: 't', panels: [] }).svg).not.toMatch(/NaN|Infinity/);
  });
});
