import { ShapeError } from '@lab/core';
import { describe, expect, test } from 'vitest';
import { heatmapPanels } from './index.js';

const axes = { value: { label: 'weight' }, rowLabel: 'query', columnLabel: 'key' };
const nan = Number.NaN;

describe('heatmapPanels', () => {
  const figure = heatmapPanels({
    ...axes,
    title: 'Two <patterns>',
    panels: [
      {
        title: 'before & after',
        values: [
          [1, nan],
          [0, 1],
        ],
        marked: [{ row: 1, column: 1 }],
      },
      {
        title: 'flat',
        values: [
          [1, nan],
          [0.5, 0.5],
        ],
      },
    ],
  });

  test('draws cells of one shade beside each other as one rectangle, on one scale for all', () => {
    const paths = [...figure.svg.matchAll(/<path fill-opacity="([\d.]+)" d="([^"]*)"/g)];
    expect(paths.map(([, opacity]) => opacity)).toEqual(['1', '1', '0.5']);
    expect(paths.map(([, , path]) => path!.split('z').length - 1)).toEqual([2, 1, 1]);
    const [full, half] = [paths[1]!, paths[2]!].map(([, , path]) => /h([\d.]+)v/.exec(path!)![1]);
    expect(Number(half)).toBeCloseTo(2 * Number(full), 1);
  });

  test('frames what is marked, escapes its words and gives finite values as data', () => {
    expect(figure.svg).toMatch(/stroke-width="1.6"><rect /);
    expect(figure.svg).toContain('before &amp; after');
    expect(figure.svg).not.toMatch(/<patterns>|NaN|undefined/);
    expect(figure.csv.trim().split('\r\n')).toEqual([
      'panel,query,key,weight',
      'before & after,0,0,1',
      'before & after,1,0,0',
      'before & after,1,1,1',
      'flat,0,0,1',
      'flat,1,0,0.5',
      'flat,1,1,0.5',
    ]);
    expect(figure.description).toContain('flat: highest 1 at query 0, key 0.');
  });

  test('sets at most two side by side on narrow screens', () => {
    const nine = Array.from({ length: 9 }, (_, at) => ({ title: `panel ${at}`, values: [[1]] }));
    const { svg, narrowSvg } = heatmapPanels({ ...axes, title: 't', panels: nine });
    const heightOf = (text: string) => Number(/viewBox="0 0 \d+ (\d+)"/.exec(text)![1]);
    expect(narrowSvg).toContain('viewBox="0 0 352 ');
    expect(heightOf(narrowSvg) / 5).toBeLessThan(heightOf(svg) / 3);
  });

  test('refuses rows of different length, and says what an empty panel is', () => {
    const ragged = { ...axes, title: 't', panels: [{ title: 'p', values: [[1], [1, 2]] }] };
    expect(() => heatmapPanels(ragged)).toThrow(ShapeError);
    const empty = heatmapPanels({ ...axes, title: 't', panels: [{ title: 'p', values: [[nan]] }] });
    expect(empty.description).toContain('p: no values.');
  });
});
