import { expect, test } from 'vitest';
import {
  allHeads,
  assertHeads,
  headKey,
  leadingCount,
  parseHead,
  rankHeads,
  tiedHeads,
} from './head.js';

test('a head is written as layer and head, and read so', () => {
  expect(headKey({ layer: 2, head: 26 })).toBe('2-26');
  expect(parseHead(' 2-26 ')).toEqual({ layer: 2, head: 26 });
  for (const text of ['2', '2:26', '-1-2', 'a-b', '1-2-3', '']) {
    expect(() => parseHead(text), text).toThrow(/is no head/);
  }
});

test('heads out of range, and one named twice, are refused with the ranges', () => {
  const counts = { layerCount: 3, headCount: 4 };
  expect(() => assertHeads(allHeads(counts), counts, 'here')).not.toThrow();
  expect(() => assertHeads([{ layer: 3, head: 0 }], counts, 'here')).toThrow(/here.*3-0/);
  expect(() => assertHeads([{ layer: 0, head: 4 }], counts, 'here')).toThrow(/0-4/);
  expect(() => assertHeads([{ layer: 0.5, head: 1 }], counts, 'here')).toThrow(/0.5-1/);
  const twice = [
    { layer: 1, head: 1 },
    { layer: 1, head: 1 },
  ];
  expect(() => assertHeads(twice, counts, 'here')).toThrow(/twice/);
});

test('heads are ranked by score, equal ones by layer and head; none wins by NaN', () => {
  const scores = [
    [1, null, 3],
    [3, 0, 0],
  ];
  const ranked = rankHeads(scores).map((one) => `${headKey(one)}:${one.score}`);
  expect(ranked).toEqual(['0-2:3', '1-0:3', '0-0:1', '1-1:0', '1-2:0']);
  expect(rankHeads(scores, 2)).toHaveLength(2);
  expect(tiedHeads(scores)).toEqual([
    [
      { layer: 0, head: 2 },
      { layer: 1, head: 0 },
    ],
  ]);
  expect(() => rankHeads([[1, Number.NaN]])).toThrow(/0-1 has the score NaN/);
});

test('counts heads that have a score worth the name', () => {
  const some = {
    scores: [
      [3, 1e-12, null],
      [0.5, 0, -2],
    ],
  };
  expect(leadingCount([some], 10)).toBe(2);
  expect(leadingCount([some], 1)).toBe(1);
  expect(
    leadingCount(
      [
        some,
        {
          scores: [
            [1, 2, 3],
            [1, 0, 1],
          ],
        },
      ],
      10,
    ),
  ).toBe(2);
  expect(leadingCount([{ scores: [[0, 0]] }], 10)).toBe(1);
});
