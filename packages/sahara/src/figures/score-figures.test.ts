import { describe, expect, it } from 'vitest';
import { scoreByLayer, scoreDensity, scoreDistribution, scoreMap, scoreTail } from '../figures.js';

const scored = {
  kind: 'ships',
  unit: 'nats',
  scores: [
    [0.001, 0, 0.002],
    [0.5, 0.0005, 0],
  ],
} as const;
const rows = (csv: string) => csv.trim().split('\r\n');

describe('scoreMap', () => {
  it('frames the best heads, shades by factors and says which head is first', () => {
    const { figure, caption } = scoreMap(scored, { top: 2 });
    expect(figure.description).toContain('Framed: layer 1, 0; layer 0, 2.');
    expect(caption).toContain('best 2 are framed. First is 1-0 with 0.500 nats.');
    expect(caption).toContain('logarithmic');
    expect(rows(figure.csv)).toHaveLength(7);
    expect(rows(figure.csv)[4]).toBe('layer 1,0,0.5');
    const shades = [...figure.svg.matchAll(/fill-opacity="([\d.]+)"/g)].map(([, one]) =>
      Number(one),
    );
    expect(shades[3]).toBeCloseTo(0.68, 6);
    expect(shades[0]).toBeGreaterThan(0.1); // .001 of .5 on a linear scale would be nothing
  });

  it('frames no head of score 0, and draws a matrix of zeros', () => {
    const { figure, caption } = scoreMap({ ...scored, scores: [[0, 0]] });
    expect(figure.description).not.toContain('Framed');
    expect(caption).toBe('No head moves anything.');
  });

  it('draws thousands of heads in a small picture, with all of them as data', () => {
    const scores = Array.from({ length: 64 }, (_, i) =>
      Array.from({ length: 64 }, (_, j) => 1 / (1 + i * 64 + j)),
    );
    const { figure } = scoreMap({ ...scored, scores });
    expect(figure.svg.length + figure.narrowSvg.length).toBeLessThan(400_000);
    expect(rows(figure.csv)).toHaveLength(4097);
  });
});

describe('scoreTail', () => {
  it('ends at a share of 1 and says how few heads hold half', () => {
    const { figure, caption } = scoreTail(scored);
    expect(rows(figure.csv).at(-1)).toBe('sum so far,6,1');
    expect(rows(figure.csv)[1]).toBe('score / highest,1,1');
    expect(caption).toContain('lies with 1 of 6 heads');
    expect(scoreTail({ ...scored, scores: [[0, 0]] }).caption).toBe('All scores are 0.');
  });
});

describe('distributions', () => {
  const sets = [
    { ...scored, name: 'first' },
    { ...scored, name: 'second', scores: [[0.1, 0.1, 0.4]] },
  ];

  it('count the heads with at most a score', () => {
    const lines = rows(scoreDistribution(sets).figure.csv);
    expect(lines).toContain(`first,0,${2 / 6}`);
    expect(lines).toContain('first,0.5,1');
    expect(lines).toContain(`second,0.1,${2 / 3}`);
  });

  it('have a density whose area is 1, and none where all scores are alike', () => {
    const lines = rows(scoreDensity(sets).figure.csv).slice(1);
    const points = lines
      .filter((line) => line.startsWith('second'))
      .map((line) => line.split(',').slice(1).map(Number) as [number, number]);
    const step = points[1]![0] - points[0]![0];
    const area = points
      .slice(1)
      .reduce((sum, [, y], at) => sum + ((y + points[at]![1]) / 2) * step, 0);
    expect(area).toBeCloseTo(1, 2);
    expect(points[0]![0]).toBe(0);
    const alike = scoreDensity([{ ...scored, name: 'flat', scores: [[1, 1]] }]);
    expect(rows(alike.figure.csv)).toHaveLength(1);
  });
});

it('scoreByLayer gives the best and the mean of what was scored', () => {
  const { figure } = scoreByLayer({
    ...scored,
    scores: [
      [0.2, null],
      [1, 3],
    ],
  });
  expect(rows(figure.csv).slice(1)).toEqual([
    ...['best head,0,0.2', 'best head,1,3', 'mean,0,0.2', 'mean,1,2'],
  ]);
});
