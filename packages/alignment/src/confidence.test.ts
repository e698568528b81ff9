import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import {
  confidenceOf,
  confidenceQuality,
  fitConfidence,
  MINIMUM_CALIBRATION_PAIRS,
  type PairEvidence,
} from './confidence.js';

/** Pairs that are right more often the larger margin and backward margin are. */
function sample(count: number, name: string) {
  const random = createRandom(3).fork(name);
  const evidence: PairEvidence[] = [];
  const isRight: boolean[] = [];
  for (let pair = 0; pair < count; pair += 1) {
    const margin = random.uniform();
    const backwardMargin = random.uniform() - 0.5;
    const mutual = backwardMargin > 0;
    const logit = 6 * margin - 3 + 6 * backwardMargin;
    evidence.push({ score: random.uniform(), margin, backwardMargin, mutual });
    isRight.push(random.uniform() < 1 / (1 + Math.exp(-logit)));
  }
  return { evidence, isRight };
}

describe('fitConfidence', () => {
  it('needs thirty pairs', () => {
    const { evidence, isRight } = sample(MINIMUM_CALIBRATION_PAIRS, 'few');
    expect(fitConfidence(evidence.slice(1), isRight.slice(1))).toBeNull();
    expect(fitConfidence(evidence, isRight)?.pairs).toBe(30);
  });

  it('orders pairs better than the margin alone and is calibrated on new pairs', () => {
    const fit = sample(2000, 'fit');
    const test = sample(4000, 'test');
    const model = fitConfidence(fit.evidence, fit.isRight)!;
    const quality = confidenceQuality(model, test.evidence, test.isRight)!;
    expect(quality.auroc).toBeGreaterThan(quality.marginAuroc + 0.05);
    expect(quality.ece).toBeLessThan(0.03);
    expect(quality.pairs).toBe(4000);
    expect(quality.bins.reduce((sum, { count }) => sum + count, 0)).toBe(4000);
  });

  it('gives probabilities that grow with the margin', () => {
    const { evidence, isRight } = sample(2000, 'fit');
    const model = fitConfidence(evidence, isRight)!;
    const at = (margin: number) =>
      confidenceOf(model, { score: 0.5, margin, backwardMargin: 0, mutual: true });
    expect(at(0.9)).toBeGreaterThan(at(0.1));
    for (const margin of [-1e3, 0, 1e3]) {
      expect(at(margin)).toBeGreaterThanOrEqual(0);
      expect(at(margin)).toBeLessThanOrEqual(1);
    }
  });

  it('stays finite when all pairs are right, or all wrong', () => {
    const { evidence } = sample(60, 'one class');
    for (const truth of [true, false]) {
      const model = fitConfidence(
        evidence,
        evidence.map(() => truth),
      )!;
      const probability = confidenceOf(model, evidence[0]!);
      expect(truth ? probability : 1 - probability).toBeGreaterThan(0.9);
    }
  });
});

describe('confidenceQuality', () => {
  const model = { coefficients: [0, 4, 0, 0], intercept: 0, pairs: 30 };
  const pair = (margin: number) => ({ score: 0, margin, backwardMargin: 0, mutual: false });

  it('is null where right or wrong pairs are missing', () => {
    expect(confidenceQuality(model, [pair(1), pair(2)], [true, true])).toBeNull();
    expect(confidenceQuality(model, [pair(1)], [false])).toBeNull();
  });

  it('has only numbers that JSON can hold: empty bins are left out', () => {
    const quality = confidenceQuality(model, [pair(1), pair(-1)], [true, false])!;
    expect(quality).toMatchObject({ auroc: 1, marginAuroc: 1 });
    expect(quality.bins.length).toBe(2);
    for (const bin of quality.bins) {
      expect(Object.values(bin).every(Number.isFinite)).toBe(true);
    }
  });
});
