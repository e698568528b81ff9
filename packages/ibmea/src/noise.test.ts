import { createRandom } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { smallConfig, valuesOf } from './__fixtures__/small-task.js';
import { drawNoise, epochDropout } from './noise.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const entities = Int32Array.from({ length: 200 }, (_, row) => 3 * row);

function draw(settings: Record<string, unknown>, seed = 1) {
  const { model } = smallConfig(settings);
  return drawNoise(model, ['relation', 'graph'], createRandom(seed));
}

describe('drawNoise', () => {
  it('is standard normal in mode corrected', () => {
    const values = valuesOf(draw({}).rows('relation', entities)!);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(variance - 1)).toBeLessThan(0.15);
  });

  it('is uniform on [0, 1) in mode official, except for the graph', () => {
    const noise = draw({ 'model.noise': 'official' });
    const relation = valuesOf(noise.rows('relation', entities)!);
    expect(Math.min(...relation)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...relation)).toBeLessThan(1);
    expect(relation.reduce((sum, x) => sum + x, 0) / relation.length).toBeCloseTo(0.5, 1);
    expect(Math.min(...noise.rows('graph', entities)!.dataSync())).toBeLessThan(-1);
  });

  it('gives an entity one draw, whichever rows it is asked in', () => {
    const noise = draw({});
    const first = noise.rows('graph', Int32Array.of(9, 0))!.arraySync() as number[][];
    const second = noise.rows('graph', Int32Array.of(0, 9, 9))!.arraySync() as number[][];
    expect(second).toEqual([first[1], first[0], first[0]]);
    expect(first[0]).not.toEqual(first[1]);
  });

  it('hangs on the stream only', () => {
    const at = (seed: number) => valuesOf(draw({}, seed).rows('graph', entities)!);
    expect(at(1)).toEqual(at(1));
    expect(at(1)).not.toEqual(at(2));
  });

  it('has none for a plain encoder', () => {
    const noise = draw({ 'model.bottlenecks': ['graph'] });
    expect(noise.rows('relation', entities)).toBeNull();
    expect(noise.rows('image', entities)).toBeNull();
    expect(noise.rows('graph', entities)).not.toBeNull();
  });

  it('leaves nothing but its rows', async () => {
    const error = await expectNoLeak(() => {
      draw({}).rows('graph', entities)!.dispose();
    });
    expect(error).toBeUndefined();
  });
});

describe('epochDropout', () => {
  const x = () => tf.ones([50, 20]) as tf.Tensor2D;

  it('drops the share and scales the rest', () => {
    const values = valuesOf(epochDropout(0.45, createRandom(1))(x(), 'graphMean'));
    const dropped = values.filter((value) => value === 0).length;
    expect(dropped / 1000).toBeCloseTo(0.45, 1);
    expect(Math.max(...values)).toBeCloseTo(1 / 0.55, 5);
  });

  it('has one mask per network and epoch', () => {
    const dropout = epochDropout(0.45, createRandom(1));
    const again = epochDropout(0.45, createRandom(1));
    expect(valuesOf(dropout(x(), 'graphMean'))).toEqual(valuesOf(again(x(), 'graphMean')));
    expect(valuesOf(dropout(x(), 'graphMean'))).not.toEqual(valuesOf(dropout(x(), 'graphScale')));
  });

  it('returns the input itself at rate 0', () => {
    const input = x();
    expect(epochDropout(0, createRandom(1))(input, 'graphMean')).toBe(input);
  });
});
