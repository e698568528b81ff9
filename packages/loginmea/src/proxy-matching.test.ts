import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { createParameters, selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { addProxyParameters, proxyMatching, proxyParameters } from './proxy-matching.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const embeddings = () => tf.tensor2d([3, 4, -1, 2], [2, 2]);
const open = 50;
const parametersOf = (bias: number) => ({
  vectors: tf.tensor2d([0, 1, 0, 1], [2, 2]),
  gateWeight: tf.zeros([2, 2]) as tf.Tensor2D,
  gateBias: tf.fill([2], bias) as tf.Tensor1D,
});

describe('proxyMatching', () => {
  it('leaves embeddings alone where the gate is open, takes proxies out where it is shut', () => {
    const kept = proxyMatching(embeddings(), parametersOf(open)).arraySync();
    expect(kept).toBeClose(embeddings().arraySync(), { rtol: 1e-6 });
    const taken = proxyMatching(embeddings(), parametersOf(-open)).arraySync();
    const expected = [
      [3, 3],
      [-1, 1],
    ];
    expect(taken).toBeClose(expected, { rtol: 1e-6 });
    const half = proxyMatching(embeddings(), parametersOf(0)).arraySync();
    expect(half[0]).toBeClose([3, 3.5], { rtol: 1e-6 });
  });

  it('weighs proxies by the soft-max of their cosines', () => {
    const parameters = { ...parametersOf(-open), vectors: tf.tensor2d([6, 8, -4, 3], [2, 2]) };
    const [first] = proxyMatching(embeddings(), parameters).arraySync();
    const share = Math.E / (Math.E + 1);
    const shared = [share * 6 + (1 - share) * -4, share * 8 + (1 - share) * 3];
    expect(first).toBeClose([3 - shared[0]!, 4 - shared[1]!], { rtol: 1e-5 });
  });

  it('refuses other widths, and leaves nothing behind', async () => {
    const [o, parameters] = [embeddings(), parametersOf(0)];
    const wide = { ...parameters, gateBias: tf.zeros([3]) as tf.Tensor1D };
    expect(() => proxyMatching(o, wide)).toThrow(/gateBias has shape \[3\]/);
    const body = () => proxyMatching(o, parameters);
    expect(await expectNoLeak(body)).toBeUndefined();
    const gradient = () =>
      tf.grad((x) => proxyMatching(x as tf.Tensor2D, parameters))(o) as tf.Tensor;
    expect(await expectNoLeak(gradient)).toBeUndefined();
  });
});

describe('addProxyParameters', () => {
  it('starts Xavier-uniform, each from the stream of its name, the bias at 0', () => {
    const started = (seed: number) => {
      const parameters = createParameters();
      addProxyParameters(parameters, [6, 30], createRandom(seed));
      return proxyParameters(parameters);
    };
    const [one, again, other] = [started(1), started(1), started(2)];
    expect(one!.vectors.shape).toEqual([6, 30]);
    expect(one!.vectors.dataSync()).toEqual(again!.vectors.dataSync());
    expect(one!.vectors.dataSync()).not.toEqual(other!.vectors.dataSync());
    for (const [tensor, rows] of [[one!.vectors, 6] as const, [one!.gateWeight, 30] as const]) {
      const largest = Math.max(...tensor.dataSync().map(Math.abs));
      const bound = Math.sqrt(6 / (rows + 30));
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(0.9 * bound);
    }
    expect(one!.gateBias.dataSync()).toEqual(new Float32Array(30));
  });
});
