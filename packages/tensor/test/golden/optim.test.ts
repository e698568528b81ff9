import { readFileSync } from 'node:fs';
import { createRandom } from '@lab/core';
import '@lab/core/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  clipByGlobalNorm,
  createAdamW,
  createParameters,
  selectBackend,
  tf,
  torchLinear,
  torchLinearBias,
  warmupCosine,
} from '../../src/index.js';

interface Golden {
  settings: { beta1: number; beta2: number; epsilon: number; weightDecay: number };
  shapes: Record<string, number[]>;
  start: Record<string, number[]>;
  steps: {
    rate: number;
    maxNorm: number;
    norm: number;
    gradients: Record<string, number[]>;
    parameters: Record<string, number[]>;
  }[];
  linear: { weight: number; bias: number; deviation: number };
  schedule: { warmup: number; horizon: number; factors: number[] };
}

const path = new URL('optim.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;

/** Both sides compute in float32; five steps add up a few units in the last place. */
const tolerance = { atol: 1e-6, rtol: 1e-5 };

describe.each(['cpu', 'wasm'] as const)('PyTorch on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend);
  });

  it('makes the same AdamW steps with clipped gradients', () => {
    const parameters = createParameters();
    const shapeOf = (name: string) => golden.shapes[name]!;
    for (const [name, start] of Object.entries(golden.start)) {
      parameters.add(name, tf.tensor(start, shapeOf(name)));
    }
    const optimiser = createAdamW(parameters, golden.settings);
    for (const step of golden.steps) {
      const gradients = Object.fromEntries(
        Object.entries(step.gradients).map(([name, values]) => [
          name,
          tf.tensor(values, shapeOf(name)),
        ]),
      );
      const clipped = clipByGlobalNorm(gradients, step.maxNorm);
      expect(Array.from(clipped.norm.dataSync())).toBeClose([step.norm], tolerance);
      optimiser.step(clipped.gradients, step.rate);
      for (const [name, expected] of Object.entries(step.parameters)) {
        expect(Array.from(parameters.get(name).dataSync())).toBeClose(expected, tolerance);
      }
    }
    expect(optimiser.stepCount).toBe(golden.steps.length);
    optimiser.dispose();
    parameters.dispose();
  });

  it('initialises a linear layer within the same bounds', () => {
    const random = createRandom(2024);
    const weight = torchLinear([50, 2000], random).dataSync();
    const bias = torchLinearBias([50, 2000], random).dataSync();
    const largest = (values: ArrayLike<number>) =>
      Array.from(values).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const deviation = Math.sqrt(
      Array.from(weight).reduce((sum, value) => sum + value * value, 0) / weight.length,
    );
    // Maxima of 100,000 and 2,000 uniform draws; the deviation's standard error is 0.2 %.
    expect(largest(weight) / golden.linear.weight).toBeCloseTo(1, 3);
    expect(largest(bias) / golden.linear.bias).toBeCloseTo(1, 2);
    expect(deviation / golden.linear.deviation).toBeCloseTo(1, 2);
  });
});

describe('transformers', () => {
  it('has the same learning rate factors', () => {
    const { warmup, horizon, factors } = golden.schedule;
    const factor = warmupCosine({ warmup, horizon });
    expect(factors.map((_, epoch) => factor(epoch))).toBeClose(factors, { atol: 1e-12, rtol: 0 });
  });
});
