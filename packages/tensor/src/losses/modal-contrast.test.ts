import '@lab/core/testing';
import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import { selectBackend } from '../backend.js';
import { memoryReport, resetAllocationRecord } from '../memory.js';
import { l2NormalizeRows } from '../ops/normalize.js';
import { checkGradient, expectNoLeak } from '../testing.js';
import { tf } from '../tfjs.js';
import {
  referenceInfoNce,
  referenceMultiSimilarity,
  unitRows,
} from './__fixtures__/reference-losses.js';
import { infoNce } from './info-nce.js';
import { modalContrast, type ModalContrastOptions, type ModalRows } from './modal-contrast.js';
import { multiSimilarity } from './multi-similarity.js';

/** Float32 sums over a few hundred terms. */
const tolerance = { atol: 2e-6, rtol: 2e-5 };

/** Two orders of float32 sums, relative to the largest entry. */
const gradientTolerance = 1e-5;

const joint = { alpha: 5, beta: 40, lambda: 0.5 };

const optionsOf = (changes: Partial<ModalContrastOptions> = {}): ModalContrastOptions => ({
  infoNce: { temperature: 0.2, direction: 'left-to-right' },
  multiSimilarity: joint,
  jointWeight: 3,
  ...changes,
});

/** Rows of `widths.length` modalities, and shares whose squares sum to 1 in every row. */
function modalTensors(count: number, widths: readonly number[]): tf.Tensor2D[] {
  const sides = (name: string, make: (name: string) => tf.Tensor2D) => [
    make(`${name} left`),
    make(`${name} right`),
  ];
  const rows = widths.flatMap((width, at) =>
    sides(`part ${at}`, (name) => unitRows(name, count, width)),
  );
  const shares = sides('shares', (name) => {
    const random = createRandom(`modal/${name}`);
    const values = Float32Array.from({ length: count * widths.length }, () => random.uniform());
    return l2NormalizeRows(tf.tensor2d(values, [count, widths.length]));
  });
  return [...rows, ...shares];
}

function asRows(tensors: readonly tf.Tensor[]): ModalRows {
  const pairs = Array.from({ length: tensors.length / 2 }, (_, at) => ({
    left: tensors[2 * at] as tf.Tensor2D,
    right: tensors[2 * at + 1] as tf.Tensor2D,
  }));
  return { modalities: pairs.slice(0, -1), shares: pairs.at(-1)! };
}

const valueOf = (x: tf.Tensor) => x.dataSync()[0] ?? Number.NaN;

const valuesOf = (x: tf.Tensor) => Float64Array.from(x.dataSync());

/** The total in float64, from full matrices. */
function reference(count: number, options: ModalContrastOptions) {
  const { temperature, direction } = options.infoNce;
  return (...arrays: Float64Array[]): number[] => {
    const parts = arrays.length / 2 - 1;
    let total = 0;
    const joined: [number[], number[]] = [[], []];
    for (let part = 0; part < parts; part += 1) {
      const sides = [arrays[2 * part]!, arrays[2 * part + 1]!] as [Float64Array, Float64Array];
      const plain = { rowCount: count, temperature, both: direction === 'both' };
      total += referenceInfoNce(sides, plain);
    }
    for (const side of [0, 1] as const) {
      const shares = arrays[2 * parts + side]!;
      for (let row = 0; row < count; row += 1) {
        for (let part = 0; part < parts; part += 1) {
          const values = arrays[2 * part + side]!;
          const width = values.length / count;
          const own = values.subarray(row * width, (row + 1) * width);
          joined[side].push(...Array.from(own, (x) => x * shares[row * parts + part]!));
        }
      }
    }
    const sides = joined.map((x) => Float64Array.from(x)) as [Float64Array, Float64Array];
    const hybrid = referenceMultiSimilarity(sides, { rowCount: count, ...joint });
    return [total + (options.jointWeight ?? 1) * hybrid];
  };
}

/** The two losses that the one stands for, by the public functions. */
function apart(tensors: readonly tf.Tensor[], options: ModalContrastOptions): tf.Scalar {
  const { modalities, shares } = asRows(tensors);
  const terms = modalities.map(({ left, right }) => infoNce(left, right, options.infoNce));
  const [left, right] = (['left', 'right'] as const).map((side) =>
    tf.concat(
      modalities.map((rows, at) => tf.mul(rows[side], tf.slice(shares[side], [0, at], [-1, 1]))),
      1,
    ),
  );
  const hybrid = multiSimilarity(left as tf.Tensor2D, right as tf.Tensor2D, joint);
  return tf.addN([...terms, tf.mul(hybrid, options.jointWeight ?? 1)]);
}

function largestError(got: tf.Tensor, wanted: tf.Tensor): number {
  return tf.tidy(() => {
    const error = valueOf(tf.max(tf.abs(tf.sub(got, wanted))));
    return error / valueOf(tf.max(tf.abs(wanted)));
  });
}

describe.each(['wasm', 'cpu'] as const)('modalContrast on %s', (backend) => {
  const both = { infoNce: { temperature: 0.3, direction: 'both' as const } };
  it.each([
    [1, [3], {}],
    [2, [1, 2], {}],
    [7, [2, 3, 1], { blockRows: 3, cacheBytes: 0 }],
    [7, [2, 3, 1], { ...both, blockRows: 3, cacheBytes: 200 }],
    [9, [4], { ...both, jointWeight: 0.5 }],
  ])('agrees with full matrices, B = %i, D = %o, %o', async (count, widths, changes) => {
    await selectBackend(backend);
    const tensors = modalTensors(count, widths);
    const options = optionsOf(changes);
    const loss = (...inputs: tf.Tensor[]) => modalContrast(asRows(inputs), options).total;
    const expected = reference(count, options);
    expect([valueOf(loss(...tensors))]).toBeClose(expected(...tensors.map(valuesOf)), tolerance);
    await checkGradient(loss, tensors, { reference: expected, step: 1e-6 });
  });

  it('tells its terms, which make up the total', async () => {
    await selectBackend(backend);
    const tensors = modalTensors(8, [3, 2]);
    const found = modalContrast(asRows(tensors), optionsOf());
    const [a, b] = found.infoNce.map(valueOf);
    expect(valueOf(found.total)).toBeCloseTo(a! + b! + 3 * valueOf(found.multiSimilarity), 5);
    const rows = asRows(tensors).modalities[1]!;
    const alone = infoNce(rows.left, rows.right, optionsOf().infoNce);
    expect(b).toBeCloseTo(valueOf(alone), 5);
  });

  it('leaks neither tensors nor heap memory', async () => {
    await selectBackend(backend);
    const tensors = modalTensors(20, [8, 3]);
    const loss = (...inputs: tf.Tensor[]) => modalContrast(asRows(inputs), optionsOf()).total;
    const step = () => tf.tidy(() => tf.grads(loss)(tensors));
    await expectNoLeak(step);
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes;
    tf.dispose(step());
    resetAllocationRecord();
    expect(memoryReport().peakHeapBytes).toBe(before);
  });

  it('refuses shares that do not fit', async () => {
    await selectBackend(backend);
    const [a, b, c, d] = modalTensors(4, [3]) as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    const shares = { left: c, right: d };
    const twice = [
      { left: a, right: b },
      { left: a, right: b },
    ];
    expect(() => modalContrast({ modalities: twice, shares }, optionsOf())).toThrow(
      'shares are [4,1] for modalities [4,3] [4,3]',
    );
    expect(() => modalContrast({ modalities: [], shares }, optionsOf())).toThrow('(none)');
  });
});

describe('modalContrast of more pairs than a block', () => {
  const count = 700;
  it.each(['left-to-right', 'both'] as const)(
    'equals the two losses apart, %s',
    async (direction) => {
      await selectBackend('wasm');
      const tensors = modalTensors(count, [12, 5, 4]);
      const options = optionsOf({ infoNce: { temperature: 0.1, direction } });
      const one = tf.valueAndGrads((...x) => modalContrast(asRows(x), options).total)(tensors);
      const two = tf.valueAndGrads((...x) => apart(x, options))(tensors);
      expect(valueOf(one.value) / valueOf(two.value)).toBeCloseTo(1, 5);
      one.grads.forEach((gradient, at) => {
        expect(largestError(gradient, two.grads[at]!), `${at}`).toBeLessThan(gradientTolerance);
      });
    },
  );

  it('gives the same bits with one thread and with three', async () => {
    await selectBackend('wasm');
    const tensors = modalTensors(count, [7, 5]);
    await expectSameBits(() => {
      const loss = (...x: tf.Tensor[]) => modalContrast(asRows(x), optionsOf()).total;
      const { value, grads } = tf.valueAndGrads(loss)(tensors);
      return [value, ...grads];
    });
  });
});

describe('memory of modalContrast', () => {
  it('is that of rows and packed rows; the gradients are put together later', async () => {
    await selectBackend('wasm');
    const [count, widths] = [288, [1536, 1536]] as const;
    const tensors = modalTensors(count, widths);
    const loss = (...inputs: tf.Tensor[]) => modalContrast(asRows(inputs), optionsOf()).total;
    resetAllocationRecord();
    const before = memoryReport().peakHeapBytes ?? 0;
    tf.tidy(() => void tf.grads(loss)(tensors));
    const rowBytes = 4 * count * (widths[0] + widths[1]); // all modalities of one side
    const peak = ((memoryReport().peakHeapBytes ?? 0) - before) / rowBytes;
    // Slopes of the parts, joined rows and their slopes: 2 each; 4 of packed rows; similarities.
    expect(peak).toBeGreaterThan(10);
    expect(peak).toBeLessThan(11.5);
    tf.dispose(tensors);
  });
});
