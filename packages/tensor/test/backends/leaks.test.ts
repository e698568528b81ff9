import { expect, test } from 'vitest';
import { ids, matrix, raggedPattern } from '../../src/__fixtures__/numbers.js';
import {
  createAdamW,
  createCsr,
  createParameters,
  type CsrTensors,
  csrMatMul,
  dropout,
  gatherRows,
  graphAttention,
  infoNce,
  l2NormalizeRows,
  layerNorm,
  linear,
  memoryReport,
  type Parameters,
  resetAllocationRecord,
  segmentSoftmax,
  segmentSum,
  tf,
  valueAndGradients,
} from '../../src/index.js';
import { describeBackends } from './backends.js';

const [NODES, WIDTH] = [24, 9];

/** A model that goes through every kind of kernel; `last` is the last row of its batch. */
function lossOf(p: Parameters, csr: CsrTensors, last: number): tf.Scalar {
  const x = dropout(linear(p.get('x') as unknown as tf.Tensor2D, p.get('w')), 0.1, 3);
  const scoreVectors = tf.reshape(tf.slice(x, [0, 0], [4, WIDTH]), [2, 2, WIDTH]) as tf.Tensor3D;
  const input = { features: x, scoreVectors, csr };
  const attended = graphAttention({ ...input, positiveSlope: 1, negativeSlope: 0.2 });
  const shares = segmentSoftmax(
    tf.reshape(tf.slice(x, [0, 0], [NODES, 1]), [NODES]),
    ids(Array.from({ length: NODES }, (_, n) => n % 3)),
    3,
  );
  const pooled = segmentSum<tf.Tensor2D>(
    tf.mul(attended, tf.reshape(shares, [NODES, 1])),
    tf.slice(csr.rows, 0, NODES),
    NODES,
  );
  const normed = layerNorm(pooled, p.get('g') as tf.Tensor1D, p.get('g') as tf.Tensor1D);
  const rows = l2NormalizeRows(csrMatMul(csr, tf.elu(tf.add(normed, x))));
  const left = gatherRows(rows, ids([0, 1, 2, last]));
  const right = gatherRows(rows, ids([4, 5, 6, 7]));
  return infoNce(left, right, { temperature: 0.5, direction: 'both' });
}

function createModel(): Parameters {
  const parameters = createParameters();
  parameters.add('x', matrix('x', NODES, WIDTH));
  parameters.add('w', matrix('w', WIDTH, WIDTH));
  parameters.add('g', tf.ones([WIDTH]));
  return parameters;
}

const heapInUse = (): number => {
  resetAllocationRecord();
  return memoryReport().peakHeapBytes ?? 0;
};

/** Tensors and bytes of the heap after `step` was run `count` times, less those before. */
function growth(count: number, step: () => void): { tensors: number; heap: number } {
  for (let i = 0; i < 3; i++) step();
  const [tensors, heap] = [tf.memory().numTensors, heapInUse()];
  for (let i = 0; i < count; i++) step();
  return { tensors: tf.memory().numTensors - tensors, heap: heapInUse() - heap };
}

describeBackends('nothing leaks', ({ leakSteps }) => {
  test(`over ${leakSteps} steps of training`, () => {
    const [parameters, csr] = [createModel(), createCsr(raggedPattern(NODES, NODES))];
    const optimiser = createAdamW(parameters);
    const step = () => {
      const { value, gradients } = valueAndGradients(parameters, () => lossOf(parameters, csr, 3));
      optimiser.step(gradients, 1e-3);
      tf.dispose([value, gradients]);
    };
    expect(growth(leakSteps, step)).toEqual({ tensors: 0, heap: 0 });
    optimiser.dispose();
    parameters.dispose();
    csr.dispose();
  });

  test(`over ${leakSteps} steps that fail in the forward or the backward pass`, () => {
    const [parameters, csr] = [createModel(), createCsr(raggedPattern(NODES, NODES))];
    const failing = tf.customGrad((x) => ({
      value: tf.clone(x as tf.Tensor),
      gradFunc: (): tf.Tensor => {
        throw new Error('a gradient that fails');
      },
    }));
    let failures = 0;
    const attempt = (body: () => tf.Scalar) => {
      try {
        tf.dispose(valueAndGradients(parameters, body).value);
      } catch (error) {
        failures += error instanceof Error ? 1 : 0;
      }
    };
    const grown = growth(leakSteps, () => {
      attempt(() => lossOf(parameters, csr, NODES)); // no such row
      attempt(() => tf.sum(failing(tf.mul(lossOf(parameters, csr, 3), 2))));
    });
    expect(grown).toEqual({ tensors: 0, heap: 0 });
    expect(failures).toBe(2 * (leakSteps + 3));
    parameters.dispose();
    csr.dispose();
  });
});
