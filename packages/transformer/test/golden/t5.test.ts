import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import { readSafetensors } from '@lab/tensor/io';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadT5, t5HookNames } from '../../src/index.js';
import { relativeBucket } from '../../src/t5/relative-positions.js';
import { farthest, idRows, spreadOf, switchesOf, withField } from './golden-files.js';

const folder = join(import.meta.dirname, 'checkpoints');

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each(['t5', 't5-v1.1'])('%s', (name) => {
  const golden = async () => {
    const { tensors } = await readSafetensors(join(folder, name, 'golden.safetensors'));
    const rows = (key: string) => idRows(tensors[key]!);
    const input = { ids: rows('ids'), mask: rows('mask'), decoderIds: rows('decoderIds') };
    const values = (key: string) => tensors[key]!.data as Float32Array;
    return { input, values, all: input.decoderIds.map((row) => row.map(() => 1)) };
  };

  it('gives logits and the states of both sides of transformers', async () => {
    const { input, values, all } = await golden();
    const model = await loadT5(join(folder, name));
    const { encoderLayerCount, decoderLayerCount } = model.architecture;
    const capture = /hook_resid_pre$|final_ln.hook_normalized$/;
    const result = await model.forward({ ...input, capture });
    const check = (side: 'decoder' | 'encoder', key: string, count: number, mask: number[][]) => {
      for (let layer = 0; layer <= count; layer += 1) {
        const place = layer === count ? 'final_ln.hook_normalized' : `${layer}.hook_resid_pre`;
        const { data } = result.captured.get(`${side}.${place}`)!;
        expect(farthest(data, values(`${key}.${layer}`), mask), place).toBeLessThan(1e-4);
      }
    };
    check('encoder', 'encoder', encoderLayerCount, input.mask);
    check('decoder', 'hidden', decoderLayerCount, all);
    const logits = (await result.logits.data()) as Float32Array;
    expect(farthest(logits, values('logits'), all)).toBeLessThan(1e-4);
    expect(spreadOf(values('logits'), all)).toBeGreaterThan(1);
    result.dispose();
    await expectNoLeak(async () => (await model.forward(input)).dispose());
    model.dispose();
  });

  it('has hooks just where t5HookNames says, with its shapes', async () => {
    const { input } = await golden();
    const model = await loadT5(join(folder, name));
    const result = await model.forward({ ...input, capture: () => true });
    const sizes = { B: 3, S: input.ids[0]!.length, T: input.decoderIds[0]!.length };
    const listed = t5HookNames(model).map((one) => [
      one.name,
      one.shape.map((size) => (typeof size === 'number' ? size : sizes[size])),
    ]);
    const found = [...result.captured].map(([place, { shape }]) => [place, shape]);
    const byName = (a: unknown[], b: unknown[]) => (String(a[0]) < String(b[0]) ? -1 : 1);
    expect(found.toSorted(byName)).toEqual(listed.toSorted(byName));
    result.dispose();
    const asked = model.forward({ ...input, capture: 'encoder.0.hook_resid_pst' });
    await expect(asked).rejects.toThrow('near: encoder.0.hook_resid_post');
    model.dispose();
  });

  it('moves as transformers does where a field of config.json is another', async () => {
    const { input, values, all } = await golden();
    expect(switchesOf(name).length).toBeGreaterThan(0);
    for (const { field, value, change } of switchesOf(name)) {
      const model = await loadT5(withField(join(folder, name), field, value));
      const result = await model.forward(input);
      const moved = farthest((await result.logits.data()) as Float32Array, values('logits'), all);
      result.dispose();
      model.dispose();
      expect(moved, field).toBeGreaterThan(1e-2);
      expect(Math.abs(moved - change), `${field}: ${moved}, not ${change}`).toBeLessThan(2e-3);
    }
  });
});

const BUCKETS: readonly { isBidirectional: boolean; buckets: Record<number, number> }[] = [
  {
    isBidirectional: true,
    buckets: { [-128]: 15, [-20]: 10, [-8]: 8, [-1]: 1, 0: 0, 1: 17, 8: 24, 64: 30, 128: 31 },
  },
  {
    isBidirectional: false,
    buckets: { [-15]: 15, [-16]: 16, [-20]: 17, [-64]: 26, [-128]: 31, 3: 0 },
  },
];

it.each(BUCKETS)('buckets of distances, both ways: $isBidirectional', (one) => {
  const rules = { bucketCount: 32, maxDistance: 128, isBidirectional: one.isBidirectional };
  for (const [distance, bucket] of Object.entries(one.buckets)) {
    expect(relativeBucket(Number(distance), rules), distance).toBe(bucket);
  }
});
