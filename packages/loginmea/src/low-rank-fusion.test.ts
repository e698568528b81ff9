import { createRandom } from '@lab/core';
import '@lab/core/testing';
import {
  createParameters,
  memoryReport,
  normal,
  resetAllocationRecord,
  selectBackend,
  tf,
  valueAndGradients,
} from '@lab/tensor';
import { checkGradient, expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  addFusionParameters,
  factorStart,
  type FusionStart,
  fusionParameters,
  lowRankFusion,
} from './low-rank-fusion.js';
import { type Modality, modalities, type PerModality } from './modalities.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const random = createRandom(8);
const draw = <T extends tf.Tensor>(name: string, shape: number[], deviation = 1) =>
  normal(shape, deviation, random.fork(name)) as T;

type Numbers = ArrayLike<number>;

interface Sizes {
  readonly count: number;
  readonly size: number;
  readonly rank: number;
}

/** The formula in float64 on flat arrays: the lifted vectors made and multiplied one by one. */
function referenceFusion(
  { count, size, rank }: Sizes,
  {
    z,
    alpha,
    factors,
    c,
    b,
  }: Record<'z' | 'factors', Numbers[]> & Record<'alpha' | 'c' | 'b', Numbers>,
): number[] {
  const lifted = (m: number, i: number) => {
    const row = Array.from({ length: size }, (_, d) => z[m]![i * size + d]!);
    const length = Math.max(Math.hypot(...row), 1e-12);
    return [1, ...row.map((x) => (alpha[i * z.length + m]! * x) / length)];
  };
  return Array.from({ length: count * size }, (_, at) => {
    const [i, d] = [Math.floor(at / size), at % size];
    let f = b[d]!;
    for (let k = 0; k < rank; k += 1) {
      const parts = z.map((__, m) =>
        lifted(m, i).reduce(
          (sum, x, j) => sum + x * factors[m]![(k * (size + 1) + j) * size + d]!,
          0,
        ),
      );
      f += c[k]! * parts.reduce((product, part) => product * part, 1);
    }
    return f;
  });
}

/** Inputs in the order rows, weights, factors, c, b; with the function of them. */
function problem(present: readonly Modality[], sizes: Sizes) {
  const { count, size, rank } = sizes;
  const M = present.length;
  const inputs: tf.Tensor[] = [
    ...present.map((m) => draw(`z.${m}`, [count, size])),
    tf.softmax(draw('alpha', [count, M])),
    ...present.map((m) => draw(`w.${m}`, [rank, size + 1, size])),
    draw('c', [rank]),
    draw('b', [size]),
  ];
  const fuse = (...x: tf.Tensor[]) => {
    const rows: PerModality<tf.Tensor2D> = {};
    const factors: PerModality<tf.Tensor3D> = {};
    present.forEach((modality, m) => {
      rows[modality] = x[m] as tf.Tensor2D;
      factors[modality] = x[M + 1 + m] as tf.Tensor3D;
    });
    const [rankWeight, bias] = x.slice(-2) as [tf.Tensor1D, tf.Tensor1D];
    return lowRankFusion(rows, x[M] as tf.Tensor2D, { factors, rankWeight, bias });
  };
  const reference = (...x: Float64Array[]) =>
    referenceFusion(sizes, {
      z: x.slice(0, M),
      alpha: x[M]!,
      factors: x.slice(M + 1, 2 * M + 1),
      c: x.at(-2)!,
      b: x.at(-1)!,
    });
  return { inputs, fuse, reference };
}

describe('lowRankFusion', () => {
  const sizes = { count: 3, size: 4, rank: 3 };

  it.each([
    ['three modalities', modalities],
    ['two', ['relation', 'attribute']],
    ['one', ['image']],
  ] as const)('of %s is the sum over ranks of products over modalities', (_, present) => {
    const { inputs, fuse, reference } = problem(present, sizes);
    const expected = reference(...inputs.map((x) => Float64Array.from(x.dataSync())));
    const got = Array.from(fuse(...inputs).dataSync());
    expect(got).toBeClose(expected, { rtol: 1e-4, atol: 1e-5 });
  });

  it('has the gradient of its formula to every input', async () => {
    const { inputs, fuse, reference } = problem(modalities, sizes);
    await checkGradient(fuse, inputs, { reference });
  });

  it('is affine with one modality and rank 1', () => {
    const factor = draw<tf.Tensor3D>('affine', [1, 5, 4]);
    const z = tf.tensor2d([[0, 0, 3, 4]]);
    const f = lowRankFusion({ image: z }, tf.tensor2d([[0.5]]), {
      factors: { image: factor },
      rankWeight: tf.tensor1d([2]),
      bias: tf.tensor1d([1, 1, 1, 1]),
    });
    const w = factor.arraySync()[0]!;
    const expected = [0, 1, 2, 3].map(
      (d) => 1 + 2 * (w[0]![d]! + 0.3 * w[3]![d]! + 0.4 * w[4]![d]!),
    );
    expect(f.arraySync()).toBeClose([expected], { rtol: 1e-5 });
  });

  it('leaves of a modality with weight 0 its constant alone', () => {
    const { inputs, fuse } = problem(modalities, sizes);
    const alpha = tf.tensor2d(Array(3).fill([0.6, 0, 0.4]), [3, 3]);
    const withAlpha = (z: tf.Tensor) => fuse(inputs[0]!, z, inputs[2]!, alpha, ...inputs.slice(4));
    const other = draw('other', [3, 4], 50);
    expect(withAlpha(other).dataSync()).toEqual(withAlpha(inputs[1]!).dataSync());
    expect(withAlpha(tf.zeros([3, 4])).dataSync()).toEqual(withAlpha(inputs[1]!).dataSync());
  });

  it('refuses what does not fit, and leaves nothing behind', async () => {
    const { inputs, fuse } = problem(modalities, sizes);
    const replaced = (at: number, shape: number[]) =>
      fuse(...inputs.map((x, i) => (i === at ? tf.zeros(shape) : x)));
    expect(() => replaced(1, [3, 5])).toThrow(/relation has shape \[3, 5\]/);
    expect(() => replaced(3, [3, 2])).toThrow(/weights has shape \[3, 2\]/);
    expect(() => replaced(5, [2, 5, 4])).toThrow(/factor of relation has shape \[2, 5, 4\]/);
    expect(() => replaced(6, [3, 4, 4])).toThrow(/factor of attribute has shape \[3, 4, 4\]/);
    const rows = { image: inputs[0] as tf.Tensor2D };
    const [rankWeight, bias] = inputs.slice(-2) as [tf.Tensor1D, tf.Tensor1D];
    const none = { factors: {}, rankWeight, bias };
    expect(() => lowRankFusion(rows, tf.ones([3, 1]) as tf.Tensor2D, none)).toThrow(/no factor/);
    expect(await expectNoLeak(() => fuse(...inputs))).toBeUndefined();
  });
});

describe('the memory of lowRankFusion', () => {
  /** Largest heap use of value and gradients beyond what was there before, bytes. */
  function peakBytes(rank: number): number {
    const present = ['image', 'relation', 'attribute'] as const;
    const rows: PerModality<tf.Tensor2D> = {};
    for (const modality of present) rows[modality] = draw(`rows.${modality}`, [32768, 4]);
    const weights = tf.fill([32768, 3], 1 / 3) as tf.Tensor2D;
    const parameters = createParameters();
    addFusionParameters(parameters, { modalities: present, rank, size: 4, start: 'unit' }, random);
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes!;
    const { value, gradients } = valueAndGradients(parameters, () =>
      tf.tidy(() =>
        tf.mean(tf.square(lowRankFusion(rows, weights, fusionParameters(parameters, present)))),
      ),
    );
    const peak = memoryReport().peakHeapBytes! - before;
    expect(Object.keys(gradients)).toHaveLength(present.length + 2);
    tf.dispose([value, gradients, rows, weights]);
    parameters.dispose();
    return peak;
  }

  it('hardly grows with the rank', () => {
    const oneTensor = 32768 * 4 * 4;
    peakBytes(4); // the threads take their own memory at the first call
    // Twenty ranks more would be twenty such tensors; the factors themselves are small.
    expect(peakBytes(24) - peakBytes(4)).toBeLessThan(oneTensor / 8);
  });
});

describe('starts', () => {
  const shape = [8, 31, 30] as [number, number, number];
  const deviationOf = (values: ArrayLike<number>) =>
    Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0) / values.length);
  const numbers = () => draw<tf.Tensor3D>('numbers', shape);

  it('official has the deviation of Xavier-normal as PyTorch counts the fans', () => {
    const expected = Math.sqrt(2 / (31 * 30 + 8 * 30));
    const found = deviationOf(factorStart(numbers(), 'official').dataSync());
    expect(found / expected).toBeCloseTo(1, 1);
    const full = factorStart(tf.ones([8, 301, 300]) as tf.Tensor3D, 'official').dataSync()[0]!;
    expect(full).toBeCloseTo(0.004644886761944118, 9);
  });

  it('unit moves the row of the constant near 1 and nothing else', () => {
    const [official, unit] = (['official', 'unit'] as const).map((start) => {
      const start3 = factorStart(numbers(), start);
      return tf.split(start3, [1, 30], 1).map((part) => part.dataSync());
    });
    expect(unit![1]).toEqual(official![1]);
    expect(deviationOf(unit![0]!.map((x) => x - 1))).toBeCloseTo(0.05, 2);
  });

  const fusedLength = (start: FusionStart) => {
    const parameters = createParameters();
    addFusionParameters(parameters, { modalities, rank: 8, size: 30, start }, createRandom(2));
    const rows: PerModality<tf.Tensor2D> = {};
    for (const modality of modalities) rows[modality] = draw(`start.${modality}`, [20, 30]);
    const weights = tf.fill([20, 3], 1 / 3) as tf.Tensor2D;
    const fused = lowRankFusion(rows, weights, fusionParameters(parameters, modalities));
    const values = fused.dataSync();
    parameters.dispose();
    return deviationOf(values);
  };

  it('official is all but silent, unit is not', () => {
    // Three factors of deviation 0.041: 8 ranks of c = 0.47 give about 1e-4 per entry.
    expect(fusedLength('official')).toBeLessThan(1e-3);
    expect(fusedLength('unit')).toBeGreaterThan(0.1);
  });

  it('are drawn from streams by name, c Xavier-normal, b 0', () => {
    const started = (present: readonly Modality[]) => {
      const parameters = createParameters();
      addFusionParameters(parameters, { modalities: present, rank: 400, size: 2 }, createRandom(5));
      return parameters;
    };
    const [all, one] = [started(modalities), started(['attribute'])];
    expect(one.names()).toEqual(['fusion.factor.attribute', 'fusion.rankWeight', 'fusion.bias']);
    for (const name of one.names())
      expect(one.get(name).dataSync()).toEqual(all.get(name).dataSync());
    const c = all.get('fusion.rankWeight').dataSync();
    expect(deviationOf(c) / Math.sqrt(2 / 401)).toBeCloseTo(1, 1);
    expect(Array.from(all.get('fusion.bias').dataSync())).toEqual([0, 0]);
    expect(all.get('fusion.factor.image').dataSync()).not.toEqual(
      all.get('fusion.factor.attribute').dataSync(),
    );
  });
});
