/** Values that stay on the backend. */
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ForwardInput,
  hookNames,
  loadModel,
  type Model,
  type Residency,
} from '../../src/index.js';

const folder = join(import.meta.dirname, 'checkpoints');
const ids = [
  [5, 9, 3, 44, 12],
  [7, 2, 61, 8, 30],
];
const mask = [
  [0, 1, 1, 1, 1],
  [1, 1, 1, 1, 0],
];

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each<Residency>(['resident', 'streamed'])('%s', (residency) => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(join(folder, 'gemma2'), { residency });
  });
  afterAll(() => model.dispose());

  it.each(['all', 'last'] as const)('are the values of the host, %s tokens', async (which) => {
    const names = new Set(hookNames(model, { optional: true }).map(({ name }) => name));
    const input: ForwardInput = {
      ...{ ids, mask, capturePositions: which },
      capture: (name) => names.has(name),
    };
    const host = await model.forward(input);
    const own = await model.forward({ ...input, captureTo: 'tensor' });
    expect(own.captured.size).toBe(0);
    expect(host.capturedTensors.size).toBe(0);
    expect([...own.capturedTensors.keys()]).toEqual([...host.captured.keys()]);
    expect(own.capturedTensors.size).toBe(names.size);
    for (const [name, value] of own.capturedTensors) {
      const { shape, data } = host.captured.get(name)!;
      expect(value.shape, name).toEqual(shape);
      expect(Array.from(await value.data()), name).toEqual(Array.from(data));
    }
    const tokens = own.capturedTensors.get('hook_tokens')!;
    expect(tokens.dtype).toBe('int32');
    expect(own.capturedTensors.get('layers.1')).toBe(
      own.capturedTensors.get('blocks.1.hook_resid_post'),
    );
    host.dispose();
    own.dispose();
    expect(tokens.isDisposed).toBe(true);
  });

  it('are freed by the result, or one by one', async () => {
    const capture = /hook_(resid_post|z)$/;
    const input: ForwardInput = { ids, capture, captureTo: 'tensor' };
    await model.forward(input).then((one) => one.dispose());
    await expectNoLeak(async () => {
      const result = await model.forward(input);
      for (const value of result.capturedTensors.values()) value.dispose();
      result.dispose();
    });
    const before = tf.memory().numTensors;
    const result = await model.forward(input);
    const count = 2 * model.architecture.layerCount;
    expect(tf.memory().numTensors - before).toBe(count + 2);
    result.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are freed where a pass throws, wherever it does', async () => {
    const places = [
      ...['hook_embed', 'blocks.0.hook_mlp_out', 'blocks.1.attn.hook_z'],
      ...['ln_final.hook_normalized', 'hook_logits'],
    ];
    for (const place of places) {
      const fails = {
        names: place,
        run: () => {
          throw new Error('a hook that fails');
        },
      };
      for (const captureTo of ['tensor', 'host'] as const) {
        await expectNoLeak(async () => {
          const pass = model.forward({ ids, capture: /./, captureTo, hooks: [fails] });
          await expect(pass).rejects.toThrow('a hook that fails');
        });
      }
    }
    const stop = new AbortController();
    const stops = { names: 'blocks.1.hook_resid_post', run: () => stop.abort() };
    await expectNoLeak(async () => {
      const given = { ids, hooks: [stops], capture: /./, signal: stop.signal };
      const pass = model.forward({ ...given, captureTo: 'tensor' });
      await expect(pass).rejects.toThrow(/abort/);
    });
  });

  it('another place for them is refused', async () => {
    const input = { ids, captureTo: 'disk' } as unknown as ForwardInput;
    await expect(model.forward(input)).rejects.toThrow(/captureTo/);
  });
});
