/**
 * A whole checkpoint pruned by SparseGPT.
 */
import { ConfigError } from '@lab/core';
import { tf } from '@lab/tensor';
import { editCheckpoint, loadModel, type Model } from '@lab/transformer';
import { type CalibrationRow, type LinearWeight, linearWeightsByFile } from './linear-inputs.js';
import type { PrunedCheckpoint, PruneOptions } from './prune.js';
import {
  inputProducts,
  type InputProducts,
  pruneMatrix,
  type SparseMatrixOptions,
} from './sparse-matrix.js';

/** How {@link pruneBySparseGpt} prunes. */
export interface SparseGptOptions extends PruneOptions, SparseMatrixOptions {
  /** Called behind each matrix. */
  readonly onMatrix?: ((done: number, total: number) => void) | undefined;
}

/** Products are kept of so many inputs: matrices of one input stand near each other in a file. */
const KEPT_PRODUCTS = 4;

/**
 * Writes a checkpoint whose matrices of blocks are pruned so that their outputs on calibration
 * text change least; weights that stay make up for those that go.
 *
 * Source: Frantar and Alistarh, SparseGPT (see `pruneMatrix`); unstructured.
 * Deviation: inputs are those of the model as it is; the published code goes block by block, and
 * calibrates a block on what the pruned ones before it give.
 *
 * @param calibration - token rows of some text.
 * @throws {ConfigError} for a share outside of 0..1, other options, and without calibration rows.
 */
export async function pruneBySparseGpt(
  path: string,
  calibration: readonly CalibrationRow[],
  { to, share, blockSize, damping, onMatrix, ...options }: SparseGptOptions,
): Promise<PrunedCheckpoint> {
  if (calibration.length === 0) {
    throw new ConfigError('sahara/sparse-gpt: there are no calibration rows.', {
      help: 'Give token ids of at least one text.',
    });
  }
  const own: SparseMatrixOptions = { share, blockSize, damping };
  const weights = linearWeightsByFile(path);
  const model = await loadModel(path);
  const kept = new Map<string, InputProducts>();
  let [removed, total, done] = [0, 0, 0];
  try {
    const written = await editCheckpoint(path, to, {
      ...options,
      change: (name, { shape }) => {
        const weight = weights.get(name);
        if (weight === undefined) return null;
        return async (numbers) => {
          const products = await productsOf(model, calibration, { weight, kept, own });
          const { isInputMajor } = weight;
          const before = numbers as Float32Array;
          const matrix = isInputMajor ? transposed(before, shape) : before;
          const pruned = pruneMatrix(matrix, products, own);
          removed += pruned.removed;
          total += before.length;
          done += 1;
          onMatrix?.(done, weights.size);
          const { values } = pruned;
          return isInputMajor ? transposed(values, [shape[1]!, shape[0]!]) : values;
        };
      },
      metadata: (before) => ({ ...before, 'lab.sahara.pruned': 'single weights, by SparseGPT' }),
    });
    return { ...written, removed, total };
  } finally {
    model.dispose();
  }
}

interface ProductsOf {
  readonly weight: LinearWeight;
  /** Products of inputs that came last. */
  readonly kept: Map<string, InputProducts>;
  readonly own: SparseMatrixOptions;
}

async function productsOf(
  model: Model,
  rows: readonly CalibrationRow[],
  { weight, kept, own }: ProductsOf,
): Promise<InputProducts> {
  const known = kept.get(weight.input);
  if (known !== undefined) return known;
  const { data, size } = await summedProducts(model, rows, weight);
  const products = inputProducts(data, size, own);
  kept.set(weight.input, products);
  if (kept.size > KEPT_PRODUCTS) kept.delete([...kept.keys()][0]!);
  return products;
}

/** `sum_t x_t x_t^T` over the counted tokens of all rows, `[in, in]`; sums of rows in float64. */
async function summedProducts(
  model: Model,
  rows: readonly CalibrationRow[],
  { input, layer }: LinearWeight,
): Promise<{ readonly data: Float64Array; readonly size: number }> {
  let [data, size] = [new Float64Array(0), 0];
  for (const { ids, from = 0 } of rows) {
    const result = await model.forward({ ids: [ids], capture: input, stopBlock: layer + 1 });
    result.dispose();
    const { data: values } = result.captured.get(input)!;
    size = values.length / ids.length;
    if (data.length === 0) data = new Float64Array(size * size);
    const products = tf.tidy(() => {
      const x = tf.tensor2d(values.subarray(from * size), [ids.length - from, size]);
      return tf.matMul(x, x, true);
    });
    const own = await products.data<'float32'>();
    products.dispose();
    for (let at = 0; at < data.length; at += 1) data[at]! += own[at]!;
  }
  return { data, size };
}

function transposed(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows!; row += 1) {
    for (let column = 0; column < columns!; column += 1) {
      turned[column * rows! + row] = values[row * columns! + column]!;
    }
  }
  return turned;
}
