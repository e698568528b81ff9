import { expect, test } from 'vitest';
import '@lab/core/testing';
import { createRandom } from '@lab/core';
import {
  createAdamW,
  createCsr,
  createParameters,
  type CsrTensors,
  graphAttention,
  infoNce,
  l2NormalizeRows,
  layerNorm,
  linear,
  type Parameters,
  tf,
  valueAndGradients,
} from '../../src/index.js';
import { raggedPattern } from '../../src/__fixtures__/numbers.js';
import { referenceInfoNce } from '../../src/losses/__fixtures__/reference-losses.js';
import { describeBackends } from './backends.js';
import { attentionHead } from './graph-ops.js';
import { layerNormOf } from './matrix-ops.js';
import { mapRows, product, total } from './plain.js';

/**
 * A layer of graph attention over projected features, layer norm, and InfoNCE between the first
 * half of the nodes and the second.
 */
const [NODES, FEATURES, WIDTH, STEPS] = [12, 5, 4, 10];
const TEMPERATURE = 0.5;
const RATE = 0.05;
const DECAY = 0.01;

/** Adam divides by the root of squared gradients; this keeps noise of float32 from growing. */
const EPSILON = 1e-3;
const PATTERN = raggedPattern(NODES, NODES);

const SHAPES = {
  weight: [FEATURES, WIDTH],
  target: [WIDTH, 1],
  source: [WIDTH, 1],
  gain: [WIDTH],
  bias: [WIDTH],
} as const;

type Name = keyof typeof SHAPES;
type PlainParameters = Record<Name, Float64Array>;

const NAMES = Object.keys(SHAPES) as Name[];

function initial(name: string, size: number): Float32Array {
  return createRandom(3).fork(name).fillNormal(new Float32Array(size));
}

const sizeOf = (name: Name): number => SHAPES[name].reduce((a: number, b: number) => a * b, 1);
const INPUT = initial('input', NODES * FEATURES);

function lossOf(p: Parameters, input: tf.Tensor2D, csr: CsrTensors): tf.Scalar {
  const features = linear(input, p.get('weight'));
  const attended = graphAttention({
    features,
    scoreVectors: tf.reshape(
      tf.concat([p.get('target') as tf.Tensor, p.get('source') as tf.Tensor]),
      [1, 2, WIDTH],
    ) as tf.Tensor3D,
    ...{ csr, positiveSlope: 1, negativeSlope: 0.2 },
  });
  const normed = layerNorm(attended, p.get('gain') as tf.Tensor1D, p.get('bias') as tf.Tensor1D);
  const rows = l2NormalizeRows(normed);
  const half = NODES / 2;
  const [left, right] = [0, half].map((start) => tf.slice(rows, [start, 0], [half, WIDTH]));
  return infoNce(left as tf.Tensor2D, right as tf.Tensor2D, {
    ...{ temperature: TEMPERATURE, direction: 'both' },
  });
}

function plainLoss({ weight, target, source, gain, bias }: PlainParameters): number {
  const features = product(INPUT, weight, { size: [NODES, FEATURES, WIDTH] });
  const scores = (vector: Float64Array) => product(features, vector, { size: [NODES, WIDTH, 1] });
  const [targets, sources] = [scores(target), scores(source)];
  const attended = attentionHead(
    PATTERN,
    features,
    (i, j) => (targets[i] as number) + (sources[j] as number),
  );
  const rows = mapRows(attended, WIDTH, (row) => {
    const normed = layerNormOf(row, 1e-5).map(
      (value, d) => value * (gain[d] as number) + (bias[d] as number),
    );
    const length = Math.sqrt(total(WIDTH, (d) => (normed[d] as number) ** 2));
    return normed.map((value) => value / length);
  });
  const half = (NODES / 2) * WIDTH;
  return referenceInfoNce([rows.slice(0, half), rows.slice(half)], {
    ...{ rowCount: NODES / 2, temperature: TEMPERATURE, both: true },
  });
}

/** Central differences of the loss by every value of every parameter. */
function plainGradients(parameters: PlainParameters): PlainParameters {
  const step = 1e-5;
  const of = (name: Name) =>
    parameters[name].map((_, i) => {
      const lossAt = (shift: number) => {
        const moved = parameters[name].slice();
        moved[i] = (moved[i] as number) + shift;
        return plainLoss({ ...parameters, [name]: moved });
      };
      return (lossAt(step) - lossAt(-step)) / (2 * step);
    });
  return Object.fromEntries(NAMES.map((name) => [name, of(name)])) as PlainParameters;
}

/** AdamW in float64. */
function plainTraining(): { losses: number[]; parameters: PlainParameters } {
  const fresh = (of: (name: Name) => Float64Array) =>
    Object.fromEntries(NAMES.map((name) => [name, of(name)])) as PlainParameters;
  const parameters = fresh((name) => Float64Array.from(initial(name, sizeOf(name))));
  const [first, second] = [1, 2].map(() => fresh((name) => new Float64Array(sizeOf(name))));
  const losses: number[] = [];
  for (let t = 1; t <= STEPS; t++) {
    losses.push(plainLoss(parameters));
    const gradients = plainGradients(parameters);
    for (const name of NAMES) {
      const [m, v] = [first?.[name] as Float64Array, second?.[name] as Float64Array];
      gradients[name].forEach((g, i) => {
        m[i] = 0.9 * (m[i] as number) + 0.1 * g;
        v[i] = 0.999 * (v[i] as number) + 0.001 * g * g;
        const root = Math.sqrt((v[i] as number) / (1 - 0.999 ** t)) + EPSILON;
        const kept = (parameters[name][i] as number) * (1 - RATE * DECAY);
        parameters[name][i] = kept - (RATE * (m[i] as number)) / (1 - 0.9 ** t) / root;
      });
    }
  }
  return { losses, parameters };
}

const expected = plainTraining();

/** Ten steps in float32 with gradients through four operations stay within this. */
const RTOL = 2e-3;

describeBackends('ten steps of training', () => {
  test('follow the same steps in float64, loss by loss', async () => {
    const before = tf.memory().numTensors;
    const parameters = createParameters();
    for (const name of NAMES) {
      parameters.add(name, tf.tensor(initial(name, sizeOf(name)), [...SHAPES[name]]));
    }
    const csr = createCsr(PATTERN);
    const input = tf.tensor2d(INPUT, [NODES, FEATURES]);
    const optimiser = createAdamW(parameters, { epsilon: EPSILON, weightDecay: DECAY });
    const losses: number[] = [];
    for (let t = 0; t < STEPS; t++) {
      const { value, gradients } = valueAndGradients(parameters, () =>
        lossOf(parameters, input, csr),
      );
      optimiser.step(gradients, RATE);
      losses.push(...(await value.data()));
      tf.dispose([value, gradients]);
    }
    expect(losses).toBeClose(expected.losses, { rtol: RTOL });
    expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] as number));
    for (const name of NAMES) {
      const found = Array.from(await parameters.get(name).data());
      expect(found).toBeClose(Array.from(expected.parameters[name]), { atol: RTOL, rtol: RTOL });
    }
    optimiser.dispose();
    parameters.dispose();
    tf.dispose(input);
    csr.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
