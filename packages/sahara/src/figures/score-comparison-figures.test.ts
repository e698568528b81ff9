import { describe, expect, it } from 'vitest';
import {
  headOverlap,
  rankingAgreement,
  scoreScatter,
  scoreSweep,
  searchGain,
  searchSteps,
} from '../figures.js';

const base = { kind: 'dataset-ships', unit: 'degrees' } as const;
const a = {
  ...base,
  name: 'base',
  scores: [
    [5, 1, 0],
    [3, 2, 0.5],
  ],
};
const b = {
  ...base,
  name: 'tuned',
  scores: [
    [4, 0, 1],
    [1.5, 3, 0],
  ],
};
const rows = (csv: string) => csv.trim().split('\r\n').slice(1);

describe('searchSteps and searchGain', () => {
  const steps = [
    { ...a, group: [{ layer: 0, head: 0 }] },
    {
      ...base,
      scores: [
        [null, 6, 5],
        [7, 5.5, 5],
      ],
      group: [
        { layer: 0, head: 0 },
        { layer: 1, head: 0 },
      ],
    },
  ];

  it('frame the whole group of each step and leave out what has no score', () => {
    const { figure, caption } = searchSteps(steps);
    expect(caption).toContain('Sahara takes 0-0, then 1-0.');
    expect(rows(figure.csv)).toHaveLength(11);
    expect(
      [...figure.svg.matchAll(/stroke-width="1.6">(.*?)<\/g>/g)].map(
        ([, one]) => one!.split('<rect').length - 1,
      ),
    ).toEqual([1, 2]);
  });

  it('show the best score of each step', () => {
    expect(rows(searchGain(steps).figure.csv)).toEqual(['best group,1,5', 'best group,2,7']);
  });
});

describe('headOverlap', () => {
  it('joins the shared heads and says what chance would give', () => {
    const { figure, caption } = headOverlap(a, b, 2);
    expect(figure.description).toContain('1 of 2 stand in both: 0-0.');
    // 2 of 6 marked, 2 drawn: P(at least 1) = 1 - C(4, 2) / C(6, 2) = 0.6
    expect(caption).toContain(
      '1 of 2 heads are among the best of both; 0.7 would be by chance (p = 0.60).',
    );
  });
});

describe('scoreScatter and rankingAgreement', () => {
  it('pair the same head of both, and leave out heads that one of them lacks', () => {
    const holed = {
      ...b,
      scores: [
        [4, null, 1],
        [1.5, 3, 0],
      ],
    };
    expect(rows(scoreScatter(a, holed).figure.csv)).toHaveLength(5);
    expect(rows(scoreScatter(a, b).figure.csv)[0]).toBe('heads,5,4,0-0');
  });

  it('agree with themselves fully', () => {
    const lines = rows(rankingAgreement([a, b]).figure.csv);
    expect(lines[0]).toBe('base,base,1');
    expect(lines[1]).toBe(lines[2]!.replace('tuned,base', 'base,tuned'));
  });
});

it('scoreSweep follows the heads that are highest anywhere, along the setting', () => {
  const sweep = [
    { ...b, at: 0.1 },
    { ...a, at: 0.001 },
  ];
  const { figure } = scoreSweep({ label: 'eps', isLog: true }, sweep, 2);
  expect(rows(figure.csv)).toEqual(['0-0,0.001,5', '0-0,0.1,4', '1-0,0.001,3', '1-0,0.1,1.5']);
});
