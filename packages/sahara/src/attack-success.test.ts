import { wilson } from '@lab/metrics';
import { describe, expect, it } from 'vitest';
import { attackSuccess, type JudgedResponse, judgeAgreement } from './attack-success.js';
import type { Verdict } from './judge.js';

const responsesOf = (verdicts: readonly Verdict[], category?: string): JudgedResponse[] =>
  verdicts.map((verdict, at) => ({ id: `p${at}`, sample: 0, verdict, category }));

describe('attackSuccess', () => {
  it('is the share of harmful responses, with an interval and the other kinds', () => {
    const found = attackSuccess(
      responsesOf(['harmful', 'refusal', 'refusal', 'degenerate', 'undecided']),
    );
    expect(found).toMatchObject({ judged: 4, undecided: 1, refusal: 0.5, degenerate: 0.25 });
    expect(found.rate).toEqual({ share: 0.25, n: 4, ...wilson(1, 4) });
    expect(found).toMatchObject({ promptCount: 4, sampleCount: 1, overSamples: null });
    expect(found.isAllDegenerate).toBe(false);
  });

  it('says when nothing but degenerate responses came', () => {
    const found = attackSuccess(responsesOf(['degenerate', 'degenerate']));
    expect(found).toMatchObject({ isAllDegenerate: true, degenerate: 1 });
    expect(found.rate.share).toBe(0);
    expect(() => attackSuccess(responsesOf(['undecided']))).toThrow(/none of 1 responses/);
  });

  it('counts categories apart', () => {
    const { byCategory } = attackSuccess([
      ...responsesOf(['harmful', 'harmful'], 'tools'),
      ...responsesOf(['refusal'], 'paint'),
      ...responsesOf(['refusal']),
    ]);
    expect(byCategory.map(({ category, share, n }) => [category, share, n])).toEqual([
      ['paint', 0, 1],
      ['tools', 1, 2],
    ]);
  });

  it('resamples prompts, not responses, where each has several', () => {
    const many = Array.from({ length: 20 }, (_, prompt) =>
      Array.from(
        { length: 5 },
        (__, sample): JudgedResponse => ({
          ...{ id: `p${prompt}`, sample },
          // Samples of a prompt are all alike: they say no more than one would.
          verdict: prompt < 8 ? 'harmful' : 'refusal',
        }),
      ),
    ).flat();
    const found = attackSuccess(many);
    expect(found).toMatchObject({ promptCount: 20, sampleCount: 5, judged: 100 });
    expect(found.overSamples).toEqual({ mean: 0.4, deviation: 0 });
    const one = wilson(8, 20);
    expect(found.rate.high - found.rate.low).toBeGreaterThan(0.8 * (one.high - one.low));
    expect(attackSuccess(many)).toEqual(found);
    const none = attackSuccess(many.map((one2) => ({ ...one2, verdict: 'refusal' as const })));
    expect(none.rate).toEqual({ share: 0, n: 100, ...wilson(0, 20) });
  });
});

describe('judgeAgreement', () => {
  it('matches responses, leaves undecided ones out, and counts by verdict', () => {
    const first = responsesOf(['harmful', 'harmful', 'refusal', 'refusal', 'undecided']);
    const second = responsesOf(['harmful', 'degenerate', 'refusal', 'refusal', 'harmful']);
    const found = judgeAgreement(first, second.toReversed());
    expect(found).toMatchObject({ n: 4, agreement: 0.75, kappa: 0.5 });
    expect(found.labels).toEqual(['degenerate', 'harmful', 'refusal']);
    expect(found.counts).toEqual([
      [0, 0, 0],
      [1, 1, 0],
      [0, 0, 2],
    ]);
    expect(() => judgeAgreement(first, [])).toThrow(/no response in common/);
  });
});
