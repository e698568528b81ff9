/** Passes that begin behind the heads, end in the last token alone, or go back from the logits. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Captured,
  hookGradients,
  hookNames,
  loadModel,
  type Model,
  type TokenInput,
} from '../../src/index.js';
import '@lab/core/testing';

const folder = join(import.meta.dirname, 'checkpoints');
const decoders = readdirSync(folder).filter((name) => !name.startsWith('t5'));

const padded: TokenInput = {
  ids: [
    [0, 0, 5, 9, 3, 44, 12],
    [7, 2, 61, 8, 30, 11, 4],
  ],
  mask: [
    [0, 0, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1, 1],
  ],
};
const plain: TokenInput = { ids: padded.ids };
const padBehind: TokenInput = {
  ids: [[5, 9, 3, 44, 12, 0, 0], padded.ids[1]!],
  mask: [[1, 1, 1, 1, 1, 0, 0], padded.mask![1]!],
};

beforeAll(async () => {
  await selectBackend('wasm');
});

const numbers = async (x: tf.Tensor) => (await x.data()) as Float32Array;

describe.each(decoders)('parts of passes of %s', (name) => {
  it('the last token alone has the same logits', async () => {
    const model = await loadModel(join(folder, name), { validate: 'off' });
    for (const input of [plain, padded, padBehind]) {
      const whole = await model.forward({ ...input, logits: 'last' });
      const last = await model.forward({ ...input, logits: 'last', residualPositions: 'last' });
      expect(last.residual.shape).toEqual([2, 1, model.architecture.width]);
      expect(await numbers(last.logits!)).toBeClose(await numbers(whole.logits!), {
        ...{ atol: 2e-5, rtol: 1e-5 },
      });
      // With something called in the last block, all of its tokens are computed first.
      const seen = await model.forward({
        ...{ ...input, logits: 'last', residualPositions: 'last', capture: /hook_z$/ },
      });
      expect(seen.residual.shape).toEqual([2, 1, model.architecture.width]);
      expect(await numbers(seen.logits!)).toBeClose(await numbers(whole.logits!), {
        ...{ atol: 2e-5, rtol: 1e-5 },
      });
      for (const one of [whole, last, seen]) one.dispose();
    }
    model.dispose();
  });

  it('a pass from what the heads give is the whole pass', async () => {
    const model = await loadModel(join(folder, name), { validate: 'off' });
    const { layerCount } = model.architecture;
    const capture = /hook_(z|resid_pre)$/;
    const whole = await model.forward({ ...padded, logits: 'last', capture });
    for (const block of [0, layerCount - 1]) {
      const at = (what: string) => {
        const { shape, data } = whole.captured.get(`blocks.${block}.${what}`)!;
        return tf.tensor(data, [...shape]);
      };
      const given = {
        residual: at('hook_resid_pre') as tf.Tensor3D,
        headOutputs: at('attn.hook_z') as tf.Tensor4D,
      };
      for (const residualPositions of ['all', 'last'] as const) {
        const rest = { startBlock: block, logits: 'last', residualPositions } as const;
        const part = await model.forward({ ...padded, ...given, ...rest });
        expect(await numbers(part.logits!)).toBeClose(await numbers(whole.logits!), {
          ...{ atol: 2e-5, rtol: 1e-5 },
        });
        part.dispose();
      }
      tf.dispose([given.residual, given.headOutputs]);
    }
    whole.dispose();
    model.dispose();
  });
});

/** The logit of a token, less that of another, at the end of each text. */
const difference = ({ shape: [batch, size] }: Captured): Captured => {
  const data = new Float32Array(2 * batch! * size!);
  for (let text = 0; text < batch!; text += 1) {
    data[text * size! + 7] = 1;
    data[text * size! + 9] = -1;
    data[(batch! + text) * size! + 3] = 1;
  }
  return { shape: [2, batch!, size!], data };
};

async function differences(model: Model, place: string, added: tf.Tensor): Promise<number[]> {
  const hooks = [{ names: place, run: (value: tf.Tensor) => tf.add(value, added) }];
  const result = await model.forward({ ...padded, hooks, logits: 'last' });
  const data = await numbers(result.logits!);
  const size = model.architecture.vocabularySize;
  result.dispose();
  const of = (text: number, token: number) => data[text * size + token]!;
  return [of(0, 7) - of(0, 9), of(1, 7) - of(1, 9), of(0, 3), of(1, 3)];
}

const families = ['gpt2', 'gemma2', 'falcon-new', 'qwen3', 'falcon-alibi', 'gpt-neox', 'phi3'];

describe.each(families)('gradients inside of %s', (name) => {
  it('are the slopes of the logits', async () => {
    const model = await loadModel(join(folder, name), { validate: 'off' });
    const places = /\.(attn\.hook_z|hook_attn_out|mlp\.hook_post)$/;
    const gradients = await hookGradients(model, {
      ...{ ...padded, places, outputGradients: difference },
    });
    const random = createRandom(3).fork(name);
    for (const { name: place } of hookNames(model).filter((one) => places.test(one.name))) {
      const { shape, data } = gradients.get(place)!;
      const [rows, ...own] = shape as [number, ...number[]];
      expect(rows).toBe(2);
      const size = data.length / rows;
      const direction = random.fillNormal(new Float32Array(size));
      const along = [0, 1, 2, 3].map((at) => {
        const half = size / 2;
        const part = data.subarray(at * half, (at + 1) * half);
        const start = (at % 2) * half;
        return part.reduce((sum, value, index) => sum + value * direction[start + index]!, 0);
      });
      const step = 2e-3;
      const moved = (sign: number) =>
        tf.tensor(
          direction.map((value) => sign * step * value),
          own,
        );
      const [up, down] = [moved(1), moved(-1)];
      const above = await differences(model, place, up);
      const below = await differences(model, place, down);
      const slopes = above.map((value, at) => (value - below[at]!) / (2 * step));
      expect(along, place).toBeClose(slopes, { atol: 2e-2, rtol: 2e-2 });
      tf.dispose([up, down]);
    }
    model.dispose();
  });

  it('are the same with weights in the files, and leave nothing behind', async () => {
    const asked = { ...padded, places: /attn\.hook_z$/, outputGradients: difference };
    const resident = await loadModel(join(folder, name), { validate: 'off' });
    const streamed = await loadModel(join(folder, name), { residency: 'streamed' });
    const wanted = await hookGradients(resident, asked);
    const found = await hookGradients(streamed, asked);
    expect([...found.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
    for (const [place, { data }] of wanted) {
      expect(found.get(place)!.data, place).toBeClose(data, { atol: 1e-5, rtol: 1e-4 });
    }
    await expectNoLeak(async () => {
      await hookGradients(resident, asked);
    });
    resident.dispose();
    streamed.dispose();
  });
});

it('a place outside of blocks, and gradients of another shape, are refused', async () => {
  const model = await loadModel(join(folder, 'gpt2'), { validate: 'off' });
  const given = { ...plain, outputGradients: difference };
  await expect(hookGradients(model, { ...given, places: 'hook_embed' })).rejects.toThrow(
    /no place in a block/,
  );
  const wrong = () => ({ shape: [1, 2, 3], data: new Float32Array(6) });
  const other = { ...plain, places: /hook_z$/, outputGradients: wrong };
  await expect(hookGradients(model, other)).rejects.toThrow(/must be \[R, 2, \d+\]/);
  model.dispose();
});
