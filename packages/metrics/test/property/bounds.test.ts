import { createRandom } from '@lab/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  auroc,
  cohenKappa,
  expectedCalibrationError,
  falseDiscoveryRate,
  fitIsotonic,
  hungarian,
  kendall,
  mean,
  pairedBootstrap,
  rankingMetrics,
  wilson,
} from '../../src/index.js';

const value = fc.double({ min: -100, max: 100, noNaN: true });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const judged = fc
  .array(fc.tuple(share, fc.boolean()), { minLength: 2, maxLength: 40 })
  .filter((pairs) => new Set(pairs.map(([, label]) => label)).size === 2)
  .map((pairs) => ({ scores: pairs.map(([s]) => s), labels: pairs.map(([, label]) => label) }));

test('ranking metrics are bounded, ordered and blind to the order of samples', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (ranks) => {
      const metrics = rankingMetrics(ranks);
      expect(metrics['hits@1']).toBeLessThanOrEqual(metrics['hits@5']!);
      expect(metrics['hits@1']).toBeLessThanOrEqual(metrics.mrr + 1e-12);
      expect(metrics.mrr).toBeLessThanOrEqual(1);
      expect(rankingMetrics(ranks.toReversed()).meanRank).toBeCloseTo(metrics.meanRank, 10);
    }),
  );
});

test('wilson contains the share', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), (successes, failures) => {
      const n = successes + failures;
      const { low, high } = wilson(successes, n);
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      if (n > 0) expect(low <= successes / n && successes / n <= high).toBe(true);
    }),
  );
});

test('auroc: reversed scores give the complement; isotonic calibration keeps it or better', () => {
  fc.assert(
    fc.property(judged, ({ scores, labels }) => {
      const area = auroc(scores, labels);
      expect(
        auroc(
          scores.map((score) => -score),
          labels,
        ),
      ).toBeCloseTo(1 - area, 10);
      const calibrate = fitIsotonic(scores, labels);
      const { ece } = expectedCalibrationError(scores.map(calibrate), labels);
      expect(ece).toBeGreaterThanOrEqual(0);
      expect(ece).toBeLessThanOrEqual(1);
      // On its own data the fit reproduces the share of positives.
      const positives = labels.filter(Boolean).length / labels.length;
      expect(mean(scores.map(calibrate))).toBeCloseTo(positives, 8);
    }),
  );
});

test('correlation and agreement do not depend on which side comes first', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 2 }), (pairs) => {
      const [first, second] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
      expect(cohenKappa(first, second)).toBeCloseTo(cohenKappa(second, first), 10);
      const tau = kendall(first, second);
      expect(
        Object.is(tau, kendall(second, first)) || Math.abs(tau - kendall(second, first)) < 1e-12,
      ).toBe(true);
    }),
  );
});

test('adjusted p-values are never smaller and keep their order', () => {
  fc.assert(
    fc.property(fc.array(share, { minLength: 1, maxLength: 30 }), (pValues) => {
      const adjusted = falseDiscoveryRate(pValues);
      pValues.forEach((p, index) => {
        expect(adjusted[index]!).toBeGreaterThanOrEqual(p);
        pValues.forEach((q, other) => {
          if (p < q) expect(adjusted[index]!).toBeLessThanOrEqual(adjusted[other]!);
        });
      });
    }),
  );
});

test('the assignment is no dearer than any permutation of a 4 x 4', () => {
  const cost = fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), {
    minLength: 4,
    maxLength: 4,
  });
  const permutation = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
  fc.assert(
    fc.property(cost, permutation, (rows, columns) => {
      const total = (choice: ArrayLike<number>) =>
        rows.reduce((sum, row, index) => sum + row[choice[index]!]!, 0);
      expect(total(hungarian(rows))).toBeLessThanOrEqual(total(columns) + 1e-9);
    }),
  );
});

test('the bootstrap of a pair is antisymmetric', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
      const zeros = values.map(() => 0);
      const options = () => ({ random: createRandom(5), resamples: 50 });
      const forward = pairedBootstrap(values, zeros, options());
      const backward = pairedBootstrap(zeros, values, options());
      expect(backward.low).toBeCloseTo(-forward.high, 9);
      expect(backward.pValue).toBeCloseTo(forward.pValue, 12);
    }),
    { numRuns: 30 },
  );
});
