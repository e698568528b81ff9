import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  accuracy,
  auroc,
  brier,
  cohenKappa,
  confusionMatrix,
  falseDiscoveryRate,
  fitIsotonic,
  fitPlatt,
  hungarian,
  kendall,
  mcNemar,
  pearson,
  permutationTest,
  precisionRecallF1,
  spearman,
  tInterval,
  welchTest,
  wilson,
} from '../../src/index.js';

const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'));
/** Decimal places that must agree: both sides compute in double precision. */
const DIGITS = 10;
/** The maximum of Platt's likelihood is flat: the reference's optimiser stops at about 1e-6. */
const PLATT_DIGITS = 4;

describe('calibration agrees with scikit-learn', () => {
  const { scores, labels } = golden;
  test('auroc with ties', () => expect(auroc(scores, labels)).toBeCloseTo(golden.auroc, DIGITS));

  test('brier', () => {
    const probabilities = scores.map((score: number) => 1 / (1 + Math.exp(-score)));
    expect(brier(probabilities, labels)).toBeCloseTo(golden.brier, DIGITS);
  });

  test.each([
    ['platt', fitPlatt, PLATT_DIGITS],
    ['isotonic', fitIsotonic, DIGITS],
  ] as const)('%s', (name, fit, digits) => {
    const calibrate = fit(scores, labels);
    const { grid, values } = golden[name];
    expect(grid.length).toBe(7);
    grid.forEach((score: number, index: number) => {
      expect(calibrate(score), `at ${score}`).toBeCloseTo(values[index], digits);
    });
  });
});

describe('classification and agreement agree with scikit-learn and scipy', () => {
  const { predicted, actual, scores, other } = golden;
  test('accuracy and confusion', () => {
    expect(accuracy(predicted, actual)).toBeCloseTo(golden.accuracy, DIGITS);
    expect(confusionMatrix(predicted, actual).counts).toEqual(golden.confusion);
  });

  test.each(['micro', 'macro'] as const)('%s average', (kind) => {
    const scored = precisionRecallF1(predicted, actual)[kind];
    for (const key of ['precision', 'recall', 'f1'] as const) {
      expect(scored[key], key).toBeCloseTo(golden[kind][key], DIGITS);
    }
  });

  test.each(['none', 'linear', 'quadratic'] as const)('kappa, weights %s', (weights) => {
    const kappa = cohenKappa(predicted, actual, { weights });
    expect(kappa).toBeCloseTo(golden.kappa[weights], DIGITS);
  });

  test('correlations with ties', () => {
    expect(pearson(scores, other)).toBeCloseTo(golden.pearson, DIGITS);
    expect(spearman(scores, other)).toBeCloseTo(golden.spearman, DIGITS);
    expect(kendall(scores, other)).toBeCloseTo(golden.kendall, DIGITS);
  });
});

describe('intervals and tests agree with scipy', () => {
  test.each(golden.wilson as number[][])(
    'wilson %d of %d at %d',
    (successes, n, level, low, high) => {
      const interval = wilson(successes!, n!, level);
      expect(interval.low).toBeCloseTo(low!, DIGITS);
      expect(interval.high).toBeCloseTo(high!, DIGITS);
    },
  );

  test('t interval', () => {
    const interval = tInterval(golden.short);
    expect(interval.low).toBeCloseTo(golden.tInterval[0], DIGITS);
    expect(interval.high).toBeCloseTo(golden.tInterval[1], DIGITS);
  });

  test('welch', () => {
    const result = welchTest(golden.short, golden.longer);
    for (const key of ['t', 'degrees', 'pValue', 'low', 'high'] as const) {
      expect(result[key], key).toBeCloseTo(golden.welch[key], DIGITS);
    }
  });

  test.each(golden.mcNemar as number[][])('mcNemar %d against %d', (b, c, pValue) => {
    const first = [...Array<number>(b!).fill(1), ...Array<number>(c!).fill(0), 1];
    const second = [...Array<number>(b!).fill(0), ...Array<number>(c!).fill(1), 1];
    const result = mcNemar(first, second);
    expect(result).toMatchObject({ onlyFirst: b, onlySecond: c });
    expect(result.pValue).toBeCloseTo(pValue!, DIGITS);
  });

  test('false discovery rate', () => {
    const adjusted = falseDiscoveryRate(golden.fdr.pValues);
    expect(adjusted.length).toBe(9);
    adjusted.forEach((value, index) => {
      expect(value).toBeCloseTo(golden.fdr.adjusted[index], DIGITS);
    });
  });

  test('all sign flips', () => {
    const { first, pValue } = golden.signFlips;
    const random = { uniform: () => Number.NaN };
    const result = permutationTest(first, new Float64Array(first.length), { random });
    expect(result.pValue).toBeCloseTo(pValue, DIGITS);
  });
});

test.each(golden.assignment as { cost: number[][]; total: number }[])(
  'assignment costs what scipy finds',
  ({ cost, total }) => {
    const columns = [...hungarian(cost)];
    const used = columns.filter((column) => column >= 0);
    expect(new Set(used).size).toBe(Math.min(cost.length, cost[0]!.length));
    const sum = columns.reduce(
      (all, column, row) => all + (column < 0 ? 0 : cost[row]![column]!),
      0,
    );
    expect(sum).toBeCloseTo(total, DIGITS);
  },
);
