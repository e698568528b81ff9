import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inputProducts, pruneMatrix } from '../../src/baselines/sparse-matrix.js';
import '@lab/core/testing';

interface Golden {
  readonly outputs: number;
  readonly inputs: number;
  readonly share: number;
  readonly blockSize: number;
  readonly damping: number;
  readonly products: readonly number[];
  readonly weights: readonly number[];
  readonly pruned: readonly number[];
}

it('a matrix is pruned as by explicit inverses of the columns that are left', () => {
  const path = join(import.meta.dirname, 'sparse-gpt.json');
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  const { inputs, share, blockSize, damping } = golden;
  const given = inputProducts(Float64Array.from(golden.products), inputs, { damping });
  const pruned = pruneMatrix(Float32Array.from(golden.weights), given, { share, blockSize }).values;
  const zeros = (values: ArrayLike<number>) => Array.from(values, (value) => value === 0);
  expect(zeros(pruned)).toEqual(zeros(golden.pruned));
  expect(zeros(pruned).filter(Boolean).length).toBeGreaterThan(10);
  // Float32 of numbers of size 1.
  expect(pruned).toBeClose(Float32Array.from(golden.pruned), { atol: 3e-6, rtol: 1e-5 });
});
