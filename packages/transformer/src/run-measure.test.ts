import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { estimateRun, readModelConfig, writeRandomCheckpoint } from './index.js';
import { Model } from './model.js';
import { blockSeconds } from './run-estimate.js';
import { measuredShape } from './run-measure.js';
import { blockOperations } from './run-outline.js';

const folder = join(temporaryFolder(), 'model');

beforeAll(async () => {
  await selectBackend('wasm');
  await writeRandomCheckpoint(folder, {
    ...{ model_type: 'llama', vocab_size: 50, hidden_size: 16, intermediate_size: 32 },
    ...{ num_hidden_layers: 3, num_attention_heads: 2 },
  });
});

afterEach(() => vi.restoreAllMocks());

describe('what is measured of a batch', () => {
  it.each([
    [
      { batchSize: 2, length: 5 },
      { batchSize: 2, length: 5 },
    ],
    [
      { batchSize: 64, length: 128 },
      { batchSize: 16, length: 128 },
    ],
    [
      { batchSize: 8, length: 1500 },
      { batchSize: 1, length: 1500 },
    ],
    [
      { batchSize: 3, length: 50_000 },
      { batchSize: 1, length: 2048 },
    ],
  ])('of %j is %j', (shape, measured) => {
    expect(measuredShape(shape)).toEqual(measured);
  });

  it('is no more than 2048 tokens, however long a text is', async () => {
    const forward = vi.spyOn(Model.prototype, 'forward');
    const batches = [{ batchSize: 1, length: 60_000 }];
    const { runSeconds, operations } = await estimateRun(folder, { batches, logits: 'none' });
    expect(runSeconds).toBeGreaterThan(0);
    expect(operations).toBeGreaterThan(3 * 4 * 60_000 ** 2 * 16);
    const lengths = forward.mock.calls.map(([{ ids }]) => ids.length * ids[0]!.length);
    expect(Math.max(...lengths)).toBe(2048);
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const forward = vi.spyOn(Model.prototype, 'forward');
    const { signal } = stop;
    const batches = [{ batchSize: 1, length: 8 }];
    const asked = estimateRun(folder, { batches, signal });
    stop.abort();
    await expect(asked).rejects.toThrow(/aborted/);
    expect(forward).not.toHaveBeenCalled();
  });
});

describe('seconds of a block', () => {
  const shape = { batchSize: 1, length: 2048 };

  it('follow operations, those of mixing by a speed of their own', () => {
    const { architecture } = readModelConfig(folder);
    const longer = { batchSize: 1, length: 4096 };
    const all = blockOperations(architecture, longer) / blockOperations(architecture, shape);
    const whole = { block: 3, mixing: null, shape };
    expect(blockSeconds(architecture, whole, shape)).toBeCloseTo(3);
    expect(blockSeconds(architecture, whole, longer)).toBeCloseTo(3 * all);
    const apart = { block: 3, mixing: 1, shape };
    expect(blockSeconds(architecture, apart, shape)).toBeCloseTo(3);
    // Twice the tokens: twice the products, four times the mixing.
    expect(blockSeconds(architecture, apart, longer)).toBeCloseTo(2 * 2 + 4 * 1);
  });
});

it('an outline that says what is not known is refused', async () => {
  const batches = [{ batchSize: 1, length: 8 }];
  const wrong = (outline: object) => estimateRun(folder, { batches, ...outline });
  await expect(wrong({ logits: 'lst' })).rejects.toThrow(/logits is "lst"/);
  await expect(wrong({ batches: [] })).rejects.toThrow(/batches is a list of 0/);
  await expect(wrong({ sequence: 5 })).rejects.toThrow(/unknown option "sequence"/);
});
