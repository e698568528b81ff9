import { ShapeError } from '@lab/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { matrix, raggedPattern } from '../__fixtures__/numbers.js';
import { createCsr, csrSampledProduct, selectBackend, tf } from '../index.js';
import { checkGradient, expectNoLeak } from '../testing.js';

/** The definition in float64: row of the left matrix times row of the right, entry by entry. */
function plainProduct(
  { rowPointers, columns }: { rowPointers: Int32Array; columns: Int32Array },
  { x, y, width }: { x: ArrayLike<number>; y: ArrayLike<number>; width: number },
): number[] {
  return Array.from(columns, (column, e) => {
    const row = rowPointers.findLastIndex((start) => start <= e);
    let sum = 0;
    for (let d = 0; d < width; d++) sum += x[row * width + d]! * y[column * width + d]!;
    return sum;
  });
}

describe.each(['cpu', 'wasm'] as const)('csrSampledProduct on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  test.each([1, 3, 4, 37])('has the dot products and their gradients, width %i', async (width) => {
    const pattern = raggedPattern(5, 7);
    const csr = createCsr(pattern);
    const [x, y] = [matrix('x', 5, width), matrix('y', 7, width)];
    const found = await csrSampledProduct(csr, x, y).data();
    expect(found).toHaveLength(pattern.columns.length);
    const wanted = plainProduct(pattern, { x: x.dataSync(), y: y.dataSync(), width });
    for (const [e, value] of wanted.entries()) expect(found[e]).toBeCloseTo(value, 4);
    const f = (a: tf.Tensor, b: tf.Tensor) =>
      csrSampledProduct(csr, a as tf.Tensor2D, b as tf.Tensor2D);
    await checkGradient(f as Parameters<typeof checkGradient>[0], [x, y], {
      reference: (a, b) => plainProduct(pattern, { x: a!, y: b!, width }),
    });
    await expectNoLeak(() => tf.grads(f)([x, y]));
    csr.dispose();
  });

  test('is empty for a pattern without entries', () => {
    const csr = createCsr({
      rowCount: 2,
      columnCount: 3,
      rowPointers: Int32Array.of(0, 0, 0),
      columns: new Int32Array(),
    });
    expect(csrSampledProduct(csr, matrix('x', 2, 4), matrix('y', 3, 4)).shape).toEqual([0]);
    csr.dispose();
  });

  test('refuses other shapes', () => {
    const csr = createCsr(raggedPattern(5, 7));
    expect(() => csrSampledProduct(csr, matrix('x', 4, 2), matrix('y', 7, 2))).toThrow(ShapeError);
    expect(() => csrSampledProduct(csr, matrix('x', 5, 2), matrix('y', 7, 3))).toThrow(ShapeError);
    csr.dispose();
  });
});
