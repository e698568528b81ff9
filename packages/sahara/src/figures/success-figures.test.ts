import { describe, expect, it } from 'vitest';
import {
  judgeConfusion,
  overRefusalBars,
  probesAgainstScores,
  randomControl,
  responseKinds,
  successBars,
  successByCategory,
  successByHeadCount,
  successMap,
  utilityBars,
} from '../figures.js';

const rows = (csv: string) => csv.trim().split('\r\n').slice(1);
const intact = { name: 'intact', share: 0.04, low: 0.016, high: 0.098, n: 100 };
const ablated = { name: 'UA, 1 head', share: 0.64, low: 0.542, high: 0.727, n: 100 };

describe('successBars', () => {
  it('draws one group plainly and several as groups, with intervals', () => {
    const one = successBars([{ name: 'JBB', shares: [intact, ablated] }]);
    expect(rows(one.figure.csv)).toEqual([
      'intact,0.04,0.016,0.098',
      '"UA, 1 head",0.64,0.542,0.727',
    ]);
    expect(one.caption).toContain('Wilson intervals. Each bar: 100 prompts.');
    const two = successBars([
      { name: 'JBB, greedy', shares: [intact, ablated] },
      { name: 'MI, greedy', shares: [{ ...intact, n: 50 }, ablated] },
    ]);
    expect(rows(two.figure.csv)[3]).toBe('"MI, greedy","UA, 1 head",0.64,0.542,0.727');
    expect(two.caption).not.toContain('Each bar');
  });

  it('has forms of its own for utility and over-refusal', () => {
    const tasks = [{ name: 'BoolQ', shares: [intact] }];
    expect(utilityBars(tasks).figure.title).toBe('Zero-shot accuracy');
    expect(overRefusalBars([intact]).caption).toContain('Shorter is better');
  });
});

it('successByHeadCount has a band for every curve', () => {
  const { figure } = successByHeadCount([
    {
      name: 'chat',
      points: [
        { ...intact, headCount: 0 },
        { ...ablated, headCount: 1 },
      ],
    },
  ]);
  expect(rows(figure.csv)).toEqual(['chat,0,0.04,0.016,0.098', 'chat,1,0.64,0.542,0.727']);
  expect(figure.description).toContain('95 %');
});

it('successMap frames heads whose loss adds success, and no others', () => {
  const { figure, caption } = successMap([
    [0.6, -0.1],
    [0, 0.02],
  ]);
  expect(figure.description).toContain('Framed: layer 0, 0; layer 1, 1.');
  expect(caption).toContain('the 2 heads');
});

it('responseKinds and successByCategory label their bars', () => {
  const split = { name: 'UA', refused: 0.2, degenerate: 0.1, harmful: 0.7 };
  expect(rows(responseKinds([split]).figure.csv)).toEqual([
    ...['UA,refused,0.2', 'UA,fallen apart,0.1', 'UA,complied,0.7'],
  ]);
  expect(rows(successByCategory([intact]).figure.csv)[0]).toMatch(/^intact \(n = 100\),0\.04/);
});

it('randomControl shows every draw beside the found heads', () => {
  const { figure } = randomControl({ intact: 0, named: 0.8, random: [0, 0.1, 0.1], headCount: 3 });
  expect(rows(figure.csv).map((row) => row.split(',')[0])).toEqual(
    expect.arrayContaining(['intact', 'the 3 heads found']),
  );
  expect(figure.description).toContain('3 values');
});

it('judgeConfusion counts agreement and gives kappa where there is one', () => {
  const agreement = {
    ...{ kappa: 0.66, agreement: 17 / 20, n: 20, labels: ['harmful', 'refusal'] },
    counts: [
      [5, 1],
      [2, 12],
    ],
  };
  const { figure, caption } = judgeConfusion({ first: 'a', second: 'b', agreement });
  expect(caption).toBe(
    "Both call 17 of 20 responses the same, harmful or not; Cohen's kappa 0.66.",
  );
  expect(rows(figure.csv)[1]).toBe('a: harmful,b: refusal,1');
  const undefinedKappa = { ...agreement, kappa: Number.NaN };
  expect(judgeConfusion({ first: 'a', second: 'b', agreement: undefinedKappa }).caption).toContain(
    'harmful or not.',
  );
});

it('probesAgainstScores says how far reading and use go together', () => {
  const heads = [
    { name: '0-0', probeAccuracy: 1, score: 0.1 },
    { name: '0-1', probeAccuracy: 0.9, score: 0.2 },
    { name: '0-2', probeAccuracy: 0.5, score: 0.3 },
  ];
  expect(probesAgainstScores(heads, 'nats').caption).toContain('(rank correlation -1.00)');
});
