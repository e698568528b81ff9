import { createRandom } from '@lab/core';
import { createParameters, normal, ones, selectBackend, tf, zeros } from '@lab/tensor';
import { checkGradient } from '@lab/tensor/testing';
import '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  ATTENTION_SIZE,
  attentionFusion,
  meanVariances,
  presentModalities,
  varianceFusion,
  weightedFusion,
} from './fusion.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const random = createRandom(4);
const rowsOf = (count: number) => ({
  graph: normal([count, 4], 1, random.fork('graph')) as tf.Tensor2D,
  image: normal([count, 3], 1, random.fork('image')) as tf.Tensor2D,
});

describe('weightedFusion', () => {
  it('puts the normalised parts side by side in slot order, times the soft-max of six', () => {
    const weights = tf.tensor1d([1, 1, 1, 2, 1, 1]);
    const rows = { graph: tf.tensor2d([[0, 5]]), image: tf.tensor2d([[3, 4]]) };
    const sum = 5 * Math.E + Math.E ** 2;
    const expected = [(0.6 * Math.E) / sum, (0.8 * Math.E) / sum, 0, Math.E ** 2 / sum];
    expect(weightedFusion(weights, rows).dataSync()).toBeClose(expected, { rtol: 1e-5 });
  });

  it('has rows of one length, whatever the inputs', () => {
    const fused = weightedFusion(ones([6]) as tf.Tensor1D, rowsOf(7));
    expect(fused.shape).toEqual([7, 7]);
    expect(tf.norm(fused, 2, 1).dataSync()).toBeClose(Array(7).fill(Math.SQRT2 / 6), {
      rtol: 1e-5,
    });
  });

  it('takes a single modality', () => {
    const { graph } = rowsOf(3);
    expect(weightedFusion(ones([6]) as tf.Tensor1D, { graph }).shape).toEqual([3, 4]);
  });

  it('has the gradient of its formula to the weights', async () => {
    const { graph, image } = rowsOf(2);
    const unit = (x: tf.Tensor2D) =>
      tf.div(x, tf.norm(x, 2, 1, true)).arraySync() as unknown as number[][];
    const [g, v] = [unit(graph), unit(image)];
    await checkGradient(
      (weights) => weightedFusion(weights as tf.Tensor1D, { graph, image }),
      [tf.tensor1d([0.5, 1, -1, 0.2, 0, 2])],
      {
        reference: (weights) => {
          const shares = weights.map((w) => Math.exp(w));
          const total = shares.reduce((sum, share) => sum + share, 0);
          return [0, 1].flatMap((row) => [
            ...v[row]!.map((x) => (x * shares[0]!) / total),
            ...g[row]!.map((x) => (x * shares[3]!) / total),
          ]);
        },
      },
    );
  });
});

describe('meanVariances', () => {
  it('are means of squared deviations at the rows; plain modalities have none', () => {
    const mean = tf.zeros([3, 2]) as tf.Tensor2D;
    const scale = tf.tensor2d([
      [1, 3],
      [0, 2],
      [-1, 1],
    ]);
    const posteriors = { graph: { mean, scale }, image: { mean, scale: null } };
    const variances = meanVariances(posteriors, tf.tensor1d([2, 0], 'int32'));
    expect(Object.keys(variances)).toEqual(['graph']);
    expect(variances.graph!.arraySync()).toEqual([[1], [5]]);
  });
});

describe('varianceFusion', () => {
  const flat = () => ones([6]) as tf.Tensor1D;
  const lengths = (fused: tf.Tensor2D) => {
    const [image, graph] = tf.split(fused, [3, 4], 1) as [tf.Tensor2D, tf.Tensor2D];
    return [image, graph].map((part) => Array.from(tf.norm(part, 2, 1).dataSync()));
  };

  it('weighs each entity by the precision of its modalities; weights sum to 1', () => {
    const variances = { image: tf.tensor2d([[1], [3]]), graph: tf.tensor2d([[1], [1]]) };
    const [image, graph] = lengths(varianceFusion(flat(), { ...rowsOf(2), variances }));
    expect(image).toBeClose([0.5, 0.25], { rtol: 1e-4 });
    expect(graph).toBeClose([0.5, 0.75], { rtol: 1e-4 });
  });

  it('takes 1 as the variance of a plain modality, and keeps the learned weights', () => {
    const weights = tf.tensor1d([1 + Math.log(3), 1, 1, 1, 1, 1]);
    const variances = { graph: tf.tensor2d([[1], [0.5]]) };
    const [image, graph] = lengths(varianceFusion(weights, { ...rowsOf(2), variances }));
    expect(image).toBeClose([0.75, 0.6], { rtol: 1e-4 });
    expect(graph).toBeClose([0.25, 0.4], { rtol: 1e-4 });
  });

  it('gives rows of zeros no weight, and takes a single modality', () => {
    const { graph } = rowsOf(2);
    const masked = { graph, image: tf.zeros([2, 3]) as tf.Tensor2D };
    expect(lengths(varianceFusion(flat(), masked))[1]).toBeClose([1, 1], { rtol: 1e-5 });
    expect(varianceFusion(flat(), { graph }).shape).toEqual([2, 4]);
  });

  it('has the gradient of its formula to scores and variances', async () => {
    const rows = rowsOf(2);
    const unit = (x: tf.Tensor2D) =>
      tf.div(x, tf.norm(x, 2, 1, true)).arraySync() as unknown as number[][];
    const [g, v] = [unit(rows.graph), unit(rows.image)];
    await checkGradient(
      (weights, image, graph) => {
        const variances = { image: image as tf.Tensor2D, graph: graph as tf.Tensor2D };
        return varianceFusion(weights as tf.Tensor1D, { ...rows, variances });
      },
      [tf.tensor1d([0.5, 1, -1, 0.2, 0, 2]), tf.tensor2d([[0.5], [2]]), tf.tensor2d([[1], [0.3]])],
      {
        reference: (weights, image, graph) =>
          [0, 1].flatMap((row) => {
            const a = Math.exp(weights![0]!) / (image![row]! + 1e-6);
            const b = Math.exp(weights![3]!) / (graph![row]! + 1e-6);
            return [
              ...v[row]!.map((x) => (x * a) / (a + b)),
              ...g[row]!.map((x) => (x * b) / (a + b)),
            ];
          }),
      },
    );
  });
});

describe('attentionFusion', () => {
  /** Parameters whose attention prefers rows with a large first component. */
  function parametersOf(queryScale: number) {
    const parameters = createParameters();
    for (const [name, size] of [
      ['graph', 4],
      ['image', 3],
    ] as const) {
      parameters.add(
        `fusion.${name}.weight`,
        normal([size, ATTENTION_SIZE], 0.5, random.fork(name)),
      );
      parameters.add(`fusion.${name}.bias`, zeros([ATTENTION_SIZE]));
      parameters.add(`fusion.${name}.gain`, ones([ATTENTION_SIZE]));
      parameters.add(`fusion.${name}.shift`, zeros([ATTENTION_SIZE]));
    }
    const square = [ATTENTION_SIZE, ATTENTION_SIZE] as const;
    parameters.add('fusion.hidden', normal(square, 0.05, random.fork('hidden')));
    parameters.add('fusion.query', normal([ATTENTION_SIZE, 1], queryScale, random.fork('query')));
    return parameters;
  }

  it('is the mean of the projections when every score is equal', () => {
    const parameters = parametersOf(0);
    const rows = rowsOf(3);
    const both = attentionFusion(parameters, rows);
    const graph = attentionFusion(parameters, { graph: rows.graph });
    const image = attentionFusion(parameters, { image: rows.image });
    const mean = tf.div(tf.add(graph, image), 2);
    expect(both.shape).toEqual([3, ATTENTION_SIZE]);
    expect(both.dataSync()).toBeClose(mean.dataSync(), { atol: 1e-5 });
    parameters.dispose();
  });

  it('weighs the modalities of each entity on its own', () => {
    const parameters = parametersOf(0.3);
    const rows = rowsOf(3);
    const share = (row: number) => {
      const [both, graph, image] = [rows, { graph: rows.graph }, { image: rows.image }].map(
        (part) => attentionFusion(parameters, part).arraySync() as number[][],
      );
      const at = 5;
      const [b, g, v] = [both![row]![at]!, graph![row]![at]!, image![row]![at]!];
      return (b - v) / (g - v);
    };
    const shares = [share(0), share(1), share(2)];
    for (const value of shares) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(1);
    }
    expect(Math.abs(shares[0]! - shares[1]!)).toBeGreaterThan(0.01);
    parameters.dispose();
  });
});

describe('presentModalities', () => {
  it('keeps the slot order, not that of the record', () => {
    expect(presentModalities(rowsOf(1))).toEqual(['image', 'graph']);
    expect(presentModalities({})).toEqual([]);
  });
});
