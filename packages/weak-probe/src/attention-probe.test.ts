import '@lab/core/testing';
import { createRandom } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { settings } from './__fixtures__/memory-store.js';
import {
  batchGradients,
  fitAttentionProbe,
  type TokenSamples,
  tokenScale,
} from './attention-probe.js';
import { meanOf } from './hidden-states.js';
import { shareSamples } from './probe-input.js';
import { fitProbe, trainingRows } from './probes.js';
import { rowOf } from './state-rows.js';

const WIDTH = 16;
const TOKENS = 24;

/**
 * Prompts of noise in which one token, anywhere but at the end, tells the class: it has a mark
 * along feature 0, and the class along feature 1 (or 1 to C for more classes).
 */
function needles(count: number, classCount = 2): TokenSamples & { readonly at: number[] } {
  const random = createRandom(7).fork('needles');
  const values = random.fillNormal(new Float32Array(count * TOKENS * WIDTH));
  const labels = Int32Array.from({ length: count }, (_, prompt) => prompt % classCount);
  const at = Array.from(labels, () => random.integer(TOKENS - 1));
  for (const [prompt, label] of labels.entries()) {
    const from = (prompt * TOKENS + at[prompt]!) * WIDTH;
    values[from]! += 8;
    if (classCount === 2) values[from + 1]! += label === 1 ? 6 : -6;
    else values[from + 1 + label]! += 8;
  }
  const starts = Array.from({ length: count + 1 }, (_, prompt) => prompt * TOKENS);
  return { values, width: WIDTH, starts, labels, at };
}

const range = (from: number, to: number) =>
  Int32Array.from({ length: to - from }, (_, at) => from + at);
const [train, test] = [range(0, 160), range(160, 240)];
const config = settings('mlp.batchSize=32', 'mlp.maxEpochs=60');

const accuracyOf = (margins: Float64Array, labels: Int32Array) => {
  const outputs = margins.length / test.length;
  const right = Array.from(test).filter((prompt, at) => {
    const own = Array.from(margins.subarray(at * outputs, (at + 1) * outputs));
    const said = outputs === 1 ? (own[0]! > 0 ? 1 : 0) : own.indexOf(Math.max(...own));
    return said === labels[prompt];
  });
  return right.length / test.length;
};

describe('a probe that chooses its tokens', () => {
  it('finds the one token that tells, where the mean of all tokens drowns it', async () => {
    const samples = needles(240);
    const probe = await fitAttentionProbe(samples, { classCount: 2, train, settings: config });
    expect(accuracyOf(probe.margins(test), samples.labels)).toBeGreaterThan(0.95);
    const shares = Array.from(test, (prompt) => probe.attention(prompt));
    for (const own of shares) expect(own.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1);
    // It may look for the mark of one class alone: the other is where that is missing.
    const foundIn = [0, 1].map((label) => {
      const own = Array.from(test).flatMap((prompt, at) =>
        samples.labels[prompt] === label ? [{ prompt, shares: shares[at]! }] : [],
      );
      const isFound = own.filter(
        (one) => one.shares.indexOf(Math.max(...one.shares)) === samples.at[one.prompt],
      );
      return isFound.length / own.length;
    });
    expect(Math.max(...foundIn)).toBeGreaterThan(0.95);
    const pooled = new Float32Array(240 * WIDTH);
    for (let prompt = 0; prompt < 240; prompt += 1) {
      const tokens = Array.from({ length: TOKENS }, (_, token) =>
        rowOf(samples.values, prompt * TOKENS + token, WIDTH),
      );
      pooled.set(meanOf(tokens, WIDTH), prompt * WIDTH);
    }
    const rows = { rowCount: 240, columnCount: WIDTH, values: pooled };
    const means = trainingRows(shareSamples({ rows, labels: samples.labels }), ['a', 'b'], train);
    const mean = await fitProbe('logistic', means, { settings: config });
    expect(accuracyOf(mean.margins(test), samples.labels)).toBeLessThan(0.95);
  });
  it('tells three classes apart, and is the same twice', async () => {
    const samples = needles(240, 3);
    const options = { classCount: 3, train, settings: config };
    const probe = await fitAttentionProbe(samples, options);
    expect(accuracyOf(probe.margins(test), samples.labels)).toBeGreaterThan(0.9);
    const again = await fitAttentionProbe(samples, options);
    expect(again.losses).toEqual(probe.losses);
    expect(again.margins(test)).toEqual(probe.margins(test));
  });
  it.each([2, 3])('has the gradients of differences, for %d classes', (classCount) => {
    const samples = needles(12, classCount);
    const batch = range(0, 12);
    const scale = tokenScale(samples, batch);
    const random = createRandom(3).fork('parameters');
    const outputs = classCount === 2 ? 1 : classCount;
    const drawn = (size: number) => Float64Array.from(random.fillNormal(new Float32Array(size)));
    const parameters = {
      query: drawn(WIDTH),
      weights: drawn(outputs * WIDTH),
      biases: drawn(outputs),
    };
    const { gradients } = batchGradients({ samples, scale, parameters, batch });
    for (const name of ['query', 'weights', 'biases'] as const) {
      for (const at of parameters[name].keys()) {
        const lossAt = (step: number) => {
          const moved = parameters[name].slice();
          moved[at]! += step;
          const given = { samples, scale, parameters: { ...parameters, [name]: moved }, batch };
          return batchGradients(given).loss / batch.length;
        };
        const expected = (lossAt(1e-5) - lossAt(-1e-5)) / 2e-5;
        expect(gradients[name][at]).toBeClose(expected, { atol: 1e-8, rtol: 1e-5 });
      }
    }
  });
  it('takes prompts of any length, and features that do not vary', async () => {
    const samples = needles(240);
    for (let row = 0; row < samples.values.length; row += WIDTH) samples.values[row + 5] = 3;
    const starts = Array.from(samples.starts);
    starts[1] = 1;
    const probe = await fitAttentionProbe(
      { ...samples, starts },
      { classCount: 2, train, settings: config },
    );
    expect(probe.attention(0)).toEqual(Float64Array.of(1));
    expect(probe.attention(1)).toHaveLength(2 * TOKENS - 1);
    expect(probe.margins(test).every(Number.isFinite)).toBe(true);
  });
  it('stops at the signal', async () => {
    const given = { classCount: 2, train, settings: config, signal: AbortSignal.abort('enough') };
    await expect(fitAttentionProbe(needles(240), given)).rejects.toBe('enough');
  });
});
