import type { Random } from '@lab/core';
import { createHalfMatrix, type HalfDtype, halfMatMul } from '../ops/half.js';
import type { tf } from '../tfjs.js';
import { asDetails, type BenchOperation, normalTensor, onTensors } from './operation.js';

const ROWS = 4864;
const COLUMNS = 896;

/** Patterns of the numbers from 1/16 to 1/2. */
const PATTERNS: Readonly<Record<HalfDtype, { readonly first: number; readonly count: number }>> = {
  float16: { first: 0x2c00, count: 0x0c00 },
  bfloat16: { first: 0x3d80, count: 0x0180 },
};

function randomPatterns(random: Random, dtype: HalfDtype): Uint16Array {
  const { first, count } = PATTERNS[dtype];
  const pattern = () => (random.integer(2) << 15) | (first + random.integer(count));
  return Uint16Array.from({ length: ROWS * COLUMNS }, pattern);
}

/** Rows times a layer of 16-bit weights, as a language model of half a billion has them. */
function halfProduct(name: string, rows: number, dtype: HalfDtype): BenchOperation {
  const size = ROWS * COLUMNS;
  return {
    name,
    work: { flop: 2 * rows * size, ...(rows === 1 ? { bytes: 2 * size } : {}) },
    prepare(random) {
      const shape = { rows: ROWS, columns: COLUMNS, dtype };
      const weight = createHalfMatrix(randomPatterns(random, dtype), shape);
      const x = normalTensor<tf.Tensor2D>(random, [rows, COLUMNS]);
      const { run, dispose } = onTensors([x], (input) => halfMatMul(input, weight));
      return {
        run,
        dispose() {
          dispose();
          weight.dispose();
        },
      };
    },
  };
}

const details: readonly BenchOperation[] = [
  halfProduct('matvec-bf16-896x4864', 1, 'bfloat16'),
  halfProduct('matmul-bf16-8x896x4864', 8, 'bfloat16'),
  halfProduct('matmul-f16-256x896x4864', 256, 'float16'),
];

/** Products with 16-bit weights. */
export const halfOperations: readonly BenchOperation[] = [
  halfProduct('matvec-f16-896x4864', 1, 'float16'),
  ...asDetails(details),
];
