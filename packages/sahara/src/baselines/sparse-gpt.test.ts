import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { loadModel, openCheckpoint, writeRandomCheckpoint } from '@lab/transformer';
import { beforeAll, describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { configs, randomPrompts } from '../__fixtures__/small-models.js';
import { baselines } from '../baselines.js';
import { inverseFactor } from './inverse-factor.js';
import { inputProducts, pruneMatrix } from './sparse-matrix.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const [outputs, inputs, tokens] = [6, 10, 40];
const random = createRandom(7);
const weights = Float32Array.from({ length: outputs * inputs }, () => random.normal());
/** Inputs that go together, so that one weight can make up for another. */
const rows = Array.from({ length: tokens }, () => {
  const common = random.normal();
  return Float64Array.from(
    { length: inputs },
    (_, at) => common + (0.3 + at / 10) * random.normal(),
  );
});
const products = Float64Array.from({ length: inputs * inputs }, (_, at) =>
  rows.reduce((sum, row) => sum + row[Math.floor(at / inputs)]! * row[at % inputs]!, 0),
);

/** Squared error of the outputs on the calibration inputs. */
function errorOf(matrix: Float32Array): number {
  let sum = 0;
  for (const row of rows) {
    for (let output = 0; output < outputs; output += 1) {
      let change = 0;
      for (let at = 0; at < inputs; at += 1) {
        change += (matrix[output * inputs + at]! - weights[output * inputs + at]!) * row[at]!;
      }
      sum += change * change;
    }
  }
  return sum;
}

/** Without the given count of weights of least score, in the whole matrix or in each row. */
function without(scoreOf: (place: number) => number, count: number, isByRow: boolean) {
  const places = Array.from(weights.keys());
  const groups = isByRow
    ? Array.from({ length: outputs }, (_, row) => places.slice(row * inputs, (row + 1) * inputs))
    : [places];
  const gone = new Set(
    groups.flatMap((group) =>
      group.toSorted((a, b) => scoreOf(a) - scoreOf(b)).slice(0, count / groups.length),
    ),
  );
  return weights.map((value, at) => (gone.has(at) ? 0 : value));
}

describe('inverseFactor', () => {
  it('is the upper factor of the inverse', () => {
    const upper = inverseFactor(products, inputs);
    // H U^T U is the identity.
    for (let i = 0; i < inputs; i += 1) {
      for (let j = 0; j < inputs; j += 1) {
        let sum = 0;
        for (let k = 0; k < inputs; k += 1) {
          for (let l = 0; l < inputs; l += 1) {
            sum += products[i * inputs + k]! * upper[l * inputs + k]! * upper[l * inputs + j]!;
          }
        }
        expect(sum).toBeCloseTo(i === j ? 1 : 0, 9);
        if (j < i) expect(upper[i * inputs + j]).toBe(0);
      }
    }
    expect(() => inverseFactor(Float64Array.of(1, 2, 2, 1), 2)).toThrow(/positive definite/);
  });
});

describe('pruneMatrix', () => {
  const given = inputProducts(products, inputs);

  it('leaves the matrix as it is at a share of 0', () => {
    expect(pruneMatrix(weights, given, { share: 0 }).values).toEqual(weights);
    expect(pruneMatrix(weights, given, { share: 1 }).values.every((value) => value === 0)).toBe(
      true,
    );
  });

  it('removes the smallest weights where inputs are independent and alike', () => {
    const identity = Float64Array.from({ length: inputs * inputs }, (_, at) =>
      at % (inputs + 1) === 0 ? 1 : 0,
    );
    const pruned = pruneMatrix(weights, inputProducts(identity, inputs), { share: 0.5 }).values;
    expect(pruned).toEqual(without((at) => Math.abs(weights[at]!), 30, false));
  });

  it('changes outputs less than magnitudes and Wanda do', () => {
    const norms = rows[0]!.map((_, at) => Math.sqrt(products[at * inputs + at]!));
    for (const share of [0.3, 0.5, 0.7]) {
      const count = Math.floor(share * weights.length);
      const sparse = pruneMatrix(weights, given, { share }).values;
      expect(sparse.filter((value) => value === 0)).toHaveLength(count);
      const magnitude = without((at) => Math.abs(weights[at]!), count, false);
      const wanda = without((at) => Math.abs(weights[at]!) * norms[at % inputs]!, count, true);
      expect(errorOf(sparse)).toBeLessThan(0.7 * errorOf(magnitude));
      expect(errorOf(sparse)).toBeLessThan(0.7 * errorOf(wanda));
    }
  });

  it('takes the share of each block of columns', () => {
    const pruned = pruneMatrix(weights, given, { share: 0.5, blockSize: 4 }).values;
    const zeros = (from: number, to: number) =>
      pruned.filter((value, at) => value === 0 && at % inputs >= from && at % inputs < to).length;
    expect([zeros(0, 4), zeros(4, 8), zeros(8, 10)]).toEqual([12, 12, 6]);
  });

  it('drops inputs that are always 0', () => {
    const dead = products.map((value, at) =>
      at % inputs === 3 || Math.floor(at / inputs) === 3 ? 0 : value,
    );
    const pruned = pruneMatrix(weights, inputProducts(dead, inputs), { share: 0 }).values;
    expect(pruned.filter((_, at) => at % inputs === 3).every((value) => value === 0)).toBe(true);
    expect(pruned[0]).toBe(weights[0]);
  });

  it('refuses options that mean nothing', () => {
    expect(() => pruneMatrix(weights, given, { share: 2 })).toThrow(/share is 2/);
    expect(() => pruneMatrix(weights, given, { blockSize: 0 })).toThrow(/block of 0/);
    expect(() => pruneMatrix(weights.subarray(1), given)).toThrow(/59 weights of 10 inputs/);
    expect(() => inputProducts(products, inputs, { damping: 0 })).toThrow(/damping is 0/);
  });
});

describe('pruneBySparseGpt', () => {
  const calibration = randomPrompts([30, 40], 3).map(({ ids }) => ({ ids }));

  it.each(['qwen2', 'gpt2'] as const)(
    '%s: prunes every matrix, and answers nearer to the model than Wanda does',
    async (name) => {
      const from = join(temporaryFolder(), name);
      await writeRandomCheckpoint(from, configs[name]);
      const before = tf.memory().numTensors;
      const to = join(temporaryFolder(), 'sparse');
      const steps: number[] = [];
      const found = await baselines.pruneBySparseGpt(from, calibration, {
        ...{ to, share: 0.5, onMatrix: (done: number) => steps.push(done) },
      });
      expect(tf.memory().numTensors).toBe(before);
      expect(found.removed / found.total).toBeCloseTo(0.5, 2);
      expect(steps).toHaveLength(found.changedWeights.length);
      const other = join(temporaryFolder(), 'wanda');
      await baselines.pruneByWanda(from, calibration, { to: other, share: 0.5 });
      const distance = (path: string) => stateDistance(from, path, calibration[0]!.ids);
      expect(await distance(to)).toBeLessThan(await distance(other));
      const same = join(temporaryFolder(), 'same');
      await baselines.pruneBySparseGpt(from, calibration, { to: same, share: 0 });
      expect(await firstMatrix(same)).toEqual(await firstMatrix(from));
      await expect(baselines.pruneBySparseGpt(from, [], { to })).rejects.toThrow(/no calibration/);
    },
  );
});

/** Distance of what the first block gives. */
async function stateDistance(a: string, b: string, ids: readonly number[]): Promise<number> {
  const states: Float32Array[] = [];
  for (const path of [a, b]) {
    const model = await loadModel(path);
    const { residual } = await model.forward({ ids: [ids], stopBlock: 1 });
    states.push((await residual.data()) as Float32Array);
    residual.dispose();
    model.dispose();
  }
  return Math.hypot(...states[0]!.map((value, at) => value - states[1]![at]!));
}

async function firstMatrix(path: string): Promise<Float32Array> {
  const file = openCheckpoint(path);
  try {
    const name = [...file.weights.keys()].find((one) => /mlp\.(up_proj|c_fc)\.weight/.test(one))!;
    return await file.read(name);
  } finally {
    file.close();
  }
}
