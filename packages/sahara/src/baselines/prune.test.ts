import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { editCheckpoint, loadModel, openCheckpoint, writeRandomCheckpoint } from '@lab/transformer';
import { beforeAll, describe, expect, it } from 'vitest';
import { configs, randomPrompts } from '../__fixtures__/small-models.js';
import { baselines } from '../baselines.js';
import { tokenLogprobs } from '../utility/token-logprobs.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('pruning', () => {
  const rows = randomPrompts([9, 6], 3).map(({ ids }) => ({ ids }));

  async function checkpoint(name: 'gpt2' | 'qwen2'): Promise<string> {
    const path = join(temporaryFolder(), name);
    await writeRandomCheckpoint(path, configs[name]);
    return path;
  }

  async function weightOf(path: string, name: string): Promise<Float32Array> {
    const file = openCheckpoint(path);
    try {
      return await file.read(name);
    } finally {
      file.close();
    }
  }

  it('removes the inputs of each output that matter least', async () => {
    const from = await checkpoint('qwen2');
    const to = join(temporaryFolder(), 'pruned');
    const { removed, total } = await baselines.pruneByWanda(from, rows, { to, share: 0.25 });
    expect(removed / total).toBeCloseTo(0.25, 10);
    const name = 'model.layers.0.self_attn.q_proj.weight';
    const [before, after] = [await weightOf(from, name), await weightOf(to, name)];
    const norms = await inputNorms(from, 'blocks.0.ln1.hook_normalized');
    for (let output = 0; output < 32; output += 1) {
      const scores = Array.from(
        norms,
        (norm, input) => norm * Math.abs(before[output * 32 + input]!),
      );
      const least = scores.toSorted((a, b) => a - b)[7]!;
      const gone = scores.map((score, input) => [score, after[output * 32 + input]!] as const);
      expect(gone.every(([score, value]) => (value === 0) === score <= least)).toBe(true);
    }
  });

  async function inputNorms(path: string, place: string): Promise<Float64Array> {
    const one = await loadModel(path);
    const sums = new Float64Array(32);
    for (const { ids } of rows) {
      const result = await one.forward({ ids: [ids], capture: place });
      result.captured.get(place)!.data.forEach((value, at) => {
        sums[at % 32]! += value ** 2;
      });
      result.dispose();
    }
    one.dispose();
    return sums.map(Math.sqrt);
  }

  it('removes what matters on one set alone, in either way of storing', async () => {
    const from = await checkpoint('gpt2');
    const to = join(temporaryFolder(), 'difference');
    const data = { safety: rows, utility: rows };
    const same = await baselines.pruneSetDifference(from, data, { to });
    expect(same.removed).toBe(0);
    const all = join(temporaryFolder(), 'all');
    const shares = { safetyShare: 0.5, utilityShare: 0 };
    const half = await baselines.pruneSetDifference(from, data, { to: all, ...shares });
    expect(half.removed / half.total).toBeCloseTo(0.5, 10);
    // Stored [in, out]: half of each column is gone.
    const values = await weightOf(all, 'transformer.h.0.mlp.c_fc.weight');
    const zeros = Array.from({ length: 128 }, (_, output) =>
      Array.from({ length: 32 }, (__, input) => values[input * 128 + output]!).filter(
        (one) => one === 0,
      ),
    );
    expect(zeros.every((column) => column.length === 16)).toBe(true);
    const wrong = baselines.pruneSetDifference(from, data, { to: all, safetyShare: 2 });
    await expect(wrong).rejects.toThrow(/safetyShare is 2/);
    await expect(baselines.pruneByWanda(from, [], { to })).rejects.toThrow(/no calibration rows/);
  });

  it.each(['qwen2', 'gpt2'] as const)(
    '%s: takes out all that is written on safety data',
    async (name) => {
      const from = await checkpoint(name);
      const { numTensors } = tf.memory();
      const to = join(temporaryFolder(), 'without');
      const safety = [{ ids: rows[1]!.ids }];
      await baselines.removeSafetyRanks(from, safety, { to, rank: 6 });
      const place = 'blocks.0.attn.hook_q';
      const sizeOf = async (path: string, ids: readonly number[]) => {
        const one = await loadModel(path);
        const { captured, residual } = await one.forward({
          ids: [ids],
          capture: place,
          stopBlock: 1,
        });
        residual.dispose();
        one.dispose();
        return Math.hypot(...captured.get(place)!.data);
      };
      // Six tokens write along six directions: nothing is left of them, something of other text.
      expect(await sizeOf(to, safety[0]!.ids)).toBeLessThan(
        1e-3 * (await sizeOf(from, safety[0]!.ids)),
      );
      expect(await sizeOf(to, rows[0]!.ids)).toBeGreaterThan(
        0.1 * (await sizeOf(from, rows[0]!.ids)),
      );
      const kept = join(temporaryFolder(), 'kept');
      await baselines.removeSafetyRanks(from, safety, { to: kept, rank: 6, utility: safety });
      expect(await sizeOf(kept, safety[0]!.ids)).toBeCloseTo(await sizeOf(from, safety[0]!.ids), 3);
      expect(tf.memory().numTensors - numTensors).toBeLessThan(500);
      await expect(baselines.removeSafetyRanks(from, safety, { to, rank: 7 })).rejects.toThrow(
        /rank 7 of 6 tokens/,
      );
    },
  );
});

interface WeightAt {
  readonly weight: string;
  /** In `[out, in]`. */
  readonly at: number;
  readonly ids: readonly number[];
  readonly from: number;
}

/** `|W dL/dW|` of one weight: `|dL/df|` where it counts f times. */
async function changeOfLoss(path: string, { weight, at, ids, from }: WeightAt): Promise<number> {
  const isInputMajor = path.endsWith('gpt2');
  const step = 0.02;
  const losses: number[] = [];
  for (const factor of [1 + step, 1 - step]) {
    const to = join(temporaryFolder(), 'changed');
    await editCheckpoint(path, to, {
      change: (name, { shape }) => {
        if (name !== weight) return null;
        const inputs = isInputMajor ? shape[0]! : shape[1]!;
        const [output, input] = [Math.floor(at / inputs), at % inputs];
        const place = isInputMajor ? input * shape[1]! + output : at;
        return (numbers) => {
          const values = numbers as Float32Array;
          values[place]! *= factor;
          return values;
        };
      },
      metadata: (before) => before,
    });
    const changed = await loadModel(to);
    const [logprobs] = await tokenLogprobs(changed, [{ ids, from }]);
    changed.dispose();
    losses.push(-logprobs!.reduce((sum, value) => sum + value, 0));
  }
  return Math.abs(losses[0]! - losses[1]!) / (2 * step);
}

describe('snipScores', () => {
  it.each(['qwen2', 'gpt2', 'falcon'] as const)(
    '%s: are the loss times what a weight changes of it',
    async (name) => {
      const path = join(temporaryFolder(), name);
      await writeRandomCheckpoint(path, configs[name]);
      const ids = randomPrompts([7], 5)[0]!.ids;
      const scores = await baselines.snipScores(path, [{ ids, from: 4 }]);
      const weights = [...scores.keys()].filter((one) => one.includes('.1.'));
      expect(weights.length).toBeGreaterThan(2);
      for (const weight of weights) {
        const found = scores.get(weight)!;
        const at = found.indexOf(Math.max(...found));
        const wanted = await changeOfLoss(path, { weight, at, ids, from: 4 });
        expect(found[at]! / wanted, weight).toBeCloseTo(1, 1);
      }
    },
  );
});
