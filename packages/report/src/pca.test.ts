import { ConfigError, DataError } from '@lab/core';
import '@lab/core/testing';
import { describe, expect, test } from 'vitest';
import { matrix, threeClouds } from './__fixtures__/points.js';
import { pca } from './pca.js';

describe('pca', () => {
  test('equals the singular vectors of a matrix that has known ones', () => {
    // U S V' with V = (3, 4) / 5 and (4, -3) / 5, S = 10 and 2, U's columns of mean 0.
    const [a, b] = [1 / 2, 1 / Math.sqrt(2)];
    const u = [
      [a, b],
      [-a, 0],
      [a, -b],
      [-a, 0],
    ];
    const rows = u.map(([p, q]) => [
      10 * p! * 0.6 + 2 * q! * 0.8 + 7,
      10 * p! * 0.8 - 2 * q! * 0.6 - 1,
    ]);
    const { components, variances, projected } = pca(matrix(rows));
    expect(components).toBeClose([0.6, 0.8, 0.8, -0.6], { atol: 1e-8 });
    expect(variances).toBeClose([100 / 3, 4 / 3], { rtol: 1e-8 });
    const expected = u.flatMap(([p, q]) => [10 * p!, 2 * q!]);
    expect(projected).toBeClose(expected, { atol: 1e-7 });
  });

  test('keeps all variance over all components, each at right angles to the others', () => {
    const points = threeClouds(60);
    const { components, variances } = pca(points, 10);
    for (let k = 0; k < 10; k += 1) {
      for (let other = 0; other <= k; other += 1) {
        const product = Array.from({ length: 10 }, (_, d) => d).reduce(
          (sum, d) => sum + components[k * 10 + d]! * components[other * 10 + d]!,
          0,
        );
        expect(product).toBeClose(k === other ? 1 : 0, { atol: 1e-9 });
      }
      if (k > 0) expect(variances[k]!).toBeLessThanOrEqual(variances[k - 1]! + 1e-6);
    }
    const total = Array.from({ length: 10 }, (_, d) => {
      const column = Array.from({ length: 60 }, (__, n) => points.values[n * 10 + d]!);
      const mean = column.reduce((sum, x) => sum + x, 0) / 60;
      return column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 59;
    }).reduce((sum, x) => sum + x, 0);
    expect(variances.reduce((sum, x) => sum + x, 0)).toBeClose(total, { rtol: 1e-6 });
  });

  test('gives zeros beyond the rank, and refuses what it cannot project', () => {
    const line = matrix([
      [1, 1],
      [2, 2],
      [4, 4],
    ]);
    expect(pca(line).variances[1]).toBeClose(0, { atol: 1e-12 });
    expect(
      pca(
        matrix([
          [1, 2],
          [1, 2],
        ]),
      ).variances,
    ).toBeClose([0, 0], { atol: 1e-12 });
    expect(() => pca(line, 3)).toThrow(ConfigError);
    expect(() =>
      pca(
        matrix([
          [1, Number.NaN],
          [0, 0],
        ]),
      ),
    ).toThrow(/row 0 has the value NaN/);
    expect(() => pca({ ...line, rowCount: 2 })).toThrow(DataError);
  });
});
