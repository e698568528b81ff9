import { ConfigError, ShapeError } from '@lab/core';
import { expectedCalibrationError } from '@lab/metrics';
import { describe, expect, test } from 'vitest';
import {
  barPlot,
  boxPlot,
  createSeriesColors,
  type Figure,
  forestPlot,
  groupedBarPlot,
  heatmap,
  heatmapPanels,
  histogram,
  linePlot,
  rankOverlapPlot,
  reliabilityPlot,
  scatterPanels,
  scatterPlot,
} from './index.js';

const hostile = '<script>x</script>"&';
const x = { label: 'epoch' };
const y = { label: 'H@1', format: 'share' as const };
const points = [
  { x: 1, y: 0.2, low: 0.1, high: 0.3 },
  { x: 2, y: 0.4, low: 0.3, high: 0.5 },
];

/** Every kind of figure, under a hostile title and with a hostile series name. */
const figures: Record<string, Figure> = {
  line: linePlot({ title: hostile, x, y, series: [{ name: hostile, points }] }),
  bar: barPlot({
    title: hostile,
    value: y,
    bars: [{ label: hostile, value: 0.5, low: 0.4, high: 0.6 }],
  }),
  grouped: groupedBarPlot({
    title: hostile,
    value: y,
    groups: [{ label: hostile, bars: [{ label: hostile, value: 0.5 }] }],
  }),
  histogram: histogram({ title: hostile, x, series: [{ name: hostile, values: [1, 2, 2, 3] }] }),
  scatter: scatterPlot({ title: hostile, x, y, series: [{ name: hostile, points }] }),
  panels: scatterPanels({
    title: hostile,
    panels: [{ title: hostile, series: [{ name: hostile, points }] }],
  }),
  heatmap: heatmap({ title: hostile, rows: [hostile], columns: ['c'], values: [[0.3]], value: y }),
  heatmaps: heatmapPanels({
    title: hostile,
    panels: [{ title: hostile, values: [[0.3]] }],
    ...{ value: y, rowLabel: hostile, columnLabel: hostile },
  }),
  rankings: rankOverlapPlot({
    title: hostile,
    left: { name: hostile, items: [hostile] },
    right: { name: 'b', items: [hostile] },
  }),
  box: boxPlot({ title: hostile, value: x, groups: [{ label: hostile, values: [1, 2, 3, 90] }] }),
  reliability: reliabilityPlot({
    title: hostile,
    outcome: hostile,
    ...expectedCalibrationError([0.2, 0.8, 0.9], [0, 1, 1]),
  }),
  forest: forestPlot({
    title: hostile,
    value: y,
    rows: [{ label: hostile, estimate: 0.1, low: 0, high: 0.2 }],
  }),
};

describe.each(Object.entries(figures))('%s plot', (_, figure) => {
  test('has a text alternative, data, and a picture for both widths', () => {
    expect(figure.description.length).toBeGreaterThan(30);
    expect(figure.csv.split('\r\n').length).toBeGreaterThanOrEqual(3);
    for (const svg of [figure.svg, figure.narrowSvg]) {
      expect(svg).toMatch(/^<svg [^>]*role="img"/);
      expect(svg).toContain('aria-label="&lt;script&gt;x&lt;/script&gt;&quot;&amp;. ');
    }
    expect(figure.narrowSvg).toContain('viewBox="0 0 352 ');
  });

  test('escapes its texts, draws no NaN and sets no style element', () => {
    expect(figure.svg).not.toContain('<script');
    expect(figure.svg).not.toMatch(/NaN|undefined|<style/);
    expect(figure.svg).not.toMatch(/\d\.\d{4}/);
  });
});

describe('lines', () => {
  test('leave room for a long tick at the right end', () => {
    const thousands = [
      { x: 2000, y: 0.2 },
      { x: 16_000, y: 0.4 },
    ];
    const { svg } = linePlot({ title: 't', x, y, series: [{ name: 'a', points: thousands }] });
    const place = /translate\(([\d.]+),[\d.]+\)"[^>]*>16,000</.exec(svg)!;
    expect(Number(place[1])).toBeLessThan(720 - 20);
  });

  const two = [
    { name: 'ours', points },
    { name: 'baseline', points: points.map((point) => ({ x: point.x, y: point.y / 2 })) },
  ];

  test('say that bands are 95 % and end in a direct label', () => {
    const figure = linePlot({ title: 't', x, y, series: two });
    expect(figure.description).toContain('Shaded bands are 95 % intervals.');
    expect(figure.svg).toContain('>ours</text>');
    expect(figure.csv).toContain('series,epoch,H@1,low,high\r\nours,1,0.2,0.1,0.3\r\n');
  });

  test('carry their axis for the pointer', () => {
    const { svg, pointerLabel } = linePlot({ title: 't', x, y, series: two });
    expect(pointerLabel).toBe('epoch');
    expect(svg).toMatch(/^<svg data-x="46 \d+(\.\d+)? 1 2 0" xmlns/);
  });

  test('fall back to a legend when names are long', () => {
    const name = 'a name that is far too long to stand beside the end of a line';
    const series = [...two, { name, points }];
    const { narrowSvg } = linePlot({ title: 't', x, y, series });
    expect(narrowSvg).toMatch(/M4,28h22/);
  });

  test('survive gaps, single points and no series', () => {
    const gap = [
      { x: 1, y: 1 },
      { x: 2, y: Number.NaN },
      { x: 3, y: 2 },
    ];
    expect(
      linePlot({ title: 't', x, y: x, series: [{ name: 'a', points: gap }] }).svg,
    ).not.toContain('NaN');
    expect(
      linePlot({ title: 't', x, y, series: [{ name: 'a', points: points.slice(1) }] }).svg,
    ).toContain('<svg');
    expect(
      linePlot({ title: 't', x, y, series: [{ name: 'a', points: [] }] }).description,
    ).toContain('no values');
    expect(linePlot({ title: 't', x, y, series: [] }).svg).toContain('<svg');
  });

  test('a logarithmic axis with a zero is refused', () => {
    const series = [{ name: 'a', points: [{ x: 1, y: 0 }] }];
    expect(() => linePlot({ title: 't', x, y: { label: 'loss', isLog: true }, series })).toThrow(
      ConfigError,
    );
  });

  test('the same series has the same colour in another figure', () => {
    const colors = createSeriesColors(['baseline', 'ours']);
    const one = linePlot({ title: 't', x, y, series: two.slice(0, 1), colors });
    expect(one.svg).toContain('stroke="var(--series-2, #d55e00)"');
    const bars = barPlot({
      title: 't',
      value: y,
      bars: [{ label: 'b', value: 1, series: 'ours' }],
      colors,
    });
    expect(bars.svg).toContain('fill="var(--series-2, #d55e00)"');
  });
});

test('bars start at zero, also for values below it', () => {
  const figure = barPlot({
    title: 't',
    value: x,
    bars: [
      { label: 'up', value: 5 },
      { label: 'down', value: -2 },
    ],
  });
  expect(figure.description).toBe('Bars of epoch. up: 5; down: -2.');
  expect(figure.svg).not.toMatch(/width="-/);
});

test('a histogram counts every finite value and says what is left out', () => {
  const figure = histogram({
    title: 't',
    x,
    bins: 2,
    series: [
      { name: 'a', values: [0, 1, 2, Number.NaN] },
      { name: 'b', values: [] },
    ],
  });
  expect(figure.csv.split('\r\n').slice(1, 3)).toEqual([
    'a,0,1,1,0.3333333333333333',
    'a,1,2,2,0.6666666666666666',
  ]);
  expect(figure.description).toContain('a: 3 values, mean 1, 1 not numbers left out.');
});

test('a scatter plot of very many points draws some and says so', () => {
  const many = Array.from({ length: 5000 }, (_, index) => ({ x: index, y: index * 2 }));
  const figure = scatterPlot({ title: 't', x, y: x, series: [{ name: 'a', points: many }] });
  expect(figure.description).toContain('rank correlation 1.00');
  expect(figure.description).toContain('Drawn: 1,250 of 5,000.');
  expect(figure.svg.match(/<circle /g)?.length ?? 0).toBeGreaterThan(1000);
});

test('a heatmap names its ends, marks holes and refuses a wrong shape', () => {
  const spec = { title: 't', rows: ['a', 'b'], columns: ['c', 'd'], value: y };
  const figure = heatmap({
    ...spec,
    values: [
      [0.1, 0.9],
      [Number.NaN, 0.5],
    ],
  });
  expect(figure.description).toContain('Highest .900 (a, d), lowest .100 (a, c).');
  expect(figure.svg).toContain('>–</text>');
  expect(() => heatmap({ ...spec, values: [[1]] })).toThrow(ShapeError);
});

test('groups of fewer than five values are drawn as these values', () => {
  const groups = [
    { label: 'one', values: [0.5] },
    { label: 'three', values: [0, 0, 0.9] },
    { label: 'five', values: [0.1, 0.2, 0.3, 0.4, 0.5] },
  ];
  const { svg } = boxPlot({ title: 't', value: y, groups });
  expect(svg.match(/<circle /g)).toHaveLength(3);
  expect(svg.match(/<rect /g)).toHaveLength(1);
});

test('a stepped line holds each value until the next point', () => {
  const path = (isStepped: boolean) =>
    /d="(M[^"]+)"/.exec(
      linePlot({ title: 't', x, y, series: [{ name: 'a', points }], isStepped }).svg.split(
        'aria-label="line"',
      )[1]!,
    )![1]!;
  const places = (d: string) => [...d.matchAll(/[\d.]+,[\d.]+/g)].length;
  expect(places(path(false))).toBe(2);
  expect(places(path(true))).toBeGreaterThan(2);
});

test('the name of a reference line stands where no series runs', () => {
  const placeOf = (ys: readonly [number, number]) => {
    const { svg } = linePlot({
      ...{ title: 't', x, y: { ...y, domain: [0, 1] as const } },
      series: [{ name: 'a', points: ys.map((value, at) => ({ x: at, y: value })) }],
      references: [{ y: 0.5, label: 'baseline' }],
    });
    const group = svg.split('<g ').find((part) => part.includes('>baseline<'))!;
    const [, dy] = /translate\([-\d.]+,([-\d.]+)\)/.exec(group)!;
    const [, anchor] = /text-anchor="(\w+)"/.exec(group)!;
    return [anchor, Number(dy) < 0 ? 'above' : 'below'];
  };
  expect(placeOf([0.9, 0.1])).toEqual(['end', 'above']);
  expect(placeOf([0.1, 0.52])).toEqual(['start', 'above']);
  expect(placeOf([0.53, 0.53])).toEqual(['end', 'below']);
});

test('a box shows its median, quartiles and outliers by hand', () => {
  const figure = boxPlot({
    title: 't',
    value: x,
    groups: [
      { label: 'a', values: [1, 2, 3, 4, 100] },
      { label: 'none', values: [] },
    ],
  });
  expect(figure.csv).toContain('a,5,1,2,3,4,4\r\n');
  expect(figure.svg).toContain('>none<');
});

test('a reliability diagram leaves empty bins out', () => {
  const { bins, ece } = expectedCalibrationError([0.05, 0.95], [0, 1]);
  const figure = reliabilityPlot({ title: 't', bins, ece });
  expect(figure.description).toContain('2 samples in 2 bins');
  expect(figure.csv.trim().split('\r\n').length).toBe(3);
  expect(figure.svg).toContain('ECE .050');
});

test('a forest fills only what excludes the reference', () => {
  const rows = [
    { label: 'clear', estimate: 1, low: 0.5, high: 1.5 },
    { label: 'open', estimate: 1, low: -0.5, high: 2.5 },
  ];
  const figure = forestPlot({ title: 't', value: x, rows });
  expect(figure.description).toContain('1 of 2 exclude 0');
  expect(figure.svg.match(/fill="var\(--surface, #ffffff\)"/g)?.length).toBe(1);
});
