import { describe, expect, it } from 'vitest';
import { agreementBySize, scoreByCategory, scoreIntervals } from '../figures.js';

const head = (at: number, mean: number, ranks: readonly [number, number]) => ({
  ...{ layer: 0, head: at, mean, low: mean - 0.1, high: mean + 0.1, rank: at + 1 },
  ...{ rankLow: ranks[0], rankHigh: ranks[1], topShare: 1 },
});

describe('scoreIntervals', () => {
  it('says whether the first head stays first', () => {
    const sure = scoreIntervals([head(0, 2, [1, 1]), head(1, 1, [2, 3])], 'nats');
    expect(sure.caption).toContain('Head 0-0 stays first with other prompts.');
    expect(sure.figure.csv).toContain('0-0,2,1.9,2.1');
    const open = scoreIntervals([head(0, 2, [1, 2]), head(1, 1.9, [1, 3])], 'nats');
    expect(open.caption).toContain('could also be 0-1');
  });
});

it('agreementBySize says what the largest sets share', () => {
  const found = [1, 8].map((size) => ({
    ...{ size, top: 10, shared: size / 10, low: size / 20, high: 1 },
  }));
  const { figure, caption } = agreementBySize(found);
  expect(caption).toContain('Two sets of 8 share 8.0 of their best 10 heads.');
  expect(figure.csv.trim().split('\r\n')).toHaveLength(3);
});

it('scoreByCategory frames the first head of each kind', () => {
  const kind = (category: string, scores: readonly number[]) => ({
    ...{ category, promptCount: 4, scores: [scores], shared: [] },
    best: scores
      .map((score, at) => ({ layer: 0, head: at, score }))
      .toSorted((a, b) => b.score - a.score),
  });
  const { figure, caption } = scoreByCategory(
    [kind('theft', [3, 1]), kind('harm', [0, 2])],
    'nats',
  );
  expect(caption).toBe('2 different heads are first; framed: the first of each kind.');
  expect(figure.csv).toContain('theft (4),0-0,3');
  expect(figure.description).toContain('Framed: theft (4), 0-0; harm (4), 0-1.');
  expect(scoreByCategory([kind('a', [3, 1]), kind('b', [2, 1])], 'nats').caption).toBe(
    'Head 0-0 is first for every kind.',
  );
});
