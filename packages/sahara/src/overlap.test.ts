import { describe, expect, it } from 'vitest';
import { compareScores, scoreFileDifferences } from './overlap.js';
import type { ScoreFile } from './score-file.js';

const first = {
  scores: [
    [9, 1, 2],
    [8, 3, 0],
  ],
};
const second = {
  scores: [
    [9, 1, 2],
    [0, 3, 8],
  ],
};

describe('compareScores', () => {
  it('finds the heads that both rank high, over all and by layer', () => {
    const found = compareScores(first, second, { top: 2 });
    expect(found.headCount).toBe(6);
    expect(found.top).toMatchObject({
      ...{ k: 2, both: [{ layer: 0, head: 0 }], jaccard: 1 / 3, expected: 4 / 6 },
      firstOnly: [{ layer: 1, head: 0 }],
      secondOnly: [{ layer: 1, head: 2 }],
    });
    expect(found.layers[0]).toMatchObject({ firstSum: 12, secondSum: 12, shared: 1 });
    expect(found.layers[0]!.spearman).toBeCloseTo(1, 12);
    expect(found.layers[1]).toMatchObject({ firstTop: 1, secondTop: 1, shared: 0 });
    expect(found.layers[1]!.spearman).toBeCloseTo(-1, 12);
    expect(found.rankBiasedOverlap).toBeLessThan(1);
    const same = compareScores(first, first, { top: 2 });
    expect(same.spearman).toBeCloseTo(1, 12);
    expect(same.kendall).toBeCloseTo(1, 12);
    expect(same.rankBiasedOverlap).toBeCloseTo(1, 12);
    expect(same.top.pValue).toBeCloseTo(1 / 15, 12);
  });

  it('leaves out heads that one of both has no score of', () => {
    const group = {
      scores: [
        [null, 1, 2],
        [8, 3, 0],
      ],
    };
    const found = compareScores(first, group, { top: 1 });
    expect(found.headCount).toBe(5);
    expect(found.top.both).toEqual([{ layer: 1, head: 0 }]);
  });

  it('refuses matrices of different sizes', () => {
    expect(() => compareScores(first, { scores: [[1, 2, 3]] })).toThrow(
      /2 x 3 heads against 1 x 3/,
    );
    expect(() => compareScores(first, { scores: [[1, 2, 3], [1]] })).toThrow(/2 x 3/);
  });
});

describe('scoreFileDifferences', () => {
  it('says what two scans were made of', () => {
    const file: ScoreFile = {
      ...{ schemaVersion: 1, kind: 'ships', numerics: 'stable', unit: 'nats', ties: [] },
      model: { path: 'a', fingerprint: 'f'.repeat(64), layerCount: 2, headCount: 3 },
      tokenizer: { fingerprint: 't' },
      format: 'template',
      data: { sha256: 'd'.repeat(64), promptCount: 4 },
      ablation: { kind: 'uniform', site: 'pattern', eps: 0, granularity: 'query-head' },
      scores: first.scores,
    };
    expect(scoreFileDifferences(file, { ...file })).toEqual([]);
    const scaled = { ...file.ablation!, kind: 'scale', site: 'z' } as const;
    expect(scoreFileDifferences(file, { ...file, ablation: scaled, format: 'chat' })).toEqual([
      'format: template and chat',
      'kind: uniform and scale',
      'site: pattern and z',
    ]);
  });
});
