/** What `validateModel` says of a model that is broken in one way. */
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel, type Model, validateModel } from '../../src/index.js';
import type { ForwardInput } from '../../src/model.js';

let model: Model;
beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(join(import.meta.dirname, 'checkpoints', 'llama3'));
});
afterAll(() => model.dispose());

/** The model with passes changed by hooks that depend on what is asked. */
const broken = (hook: (input: ForwardInput) => string | null, factor = 1.01): Model =>
  Object.assign(Object.create(model) as Model, {
    forward: (input: ForwardInput) => {
      const names = hook(input);
      const run = (value: tf.Tensor) => tf.mul(value, factor);
      return model.forward({ ...input, hooks: names === null ? [] : [{ names, run }] });
    },
  });

const failures = async (one: Model): Promise<string[]> =>
  (await validateModel(one)).filter(({ passed }) => !passed).map(({ name }) => name);

describe('validateModel', () => {
  it('has nothing to say of a model that fits together', async () => {
    expect(await failures(model)).toEqual([]);
  });

  it.each<[string, string, (input: ForwardInput) => string | null, number?]>([
    ['patterns sum to one', 'patterns', () => 'blocks.1.attn.hook_pattern'],
    ['blocks add what they say', 'a residual', () => 'blocks.1.hook_resid_post'],
    ['the middle is before and attention', 'a middle', () => 'blocks.0.hook_resid_mid'],
    ['logits are finite', 'logits', () => 'hook_logits', Number.NaN],
    ['logits differ', 'logits', () => 'hook_logits', 0],
    [
      'hooks only look',
      'what is looked at',
      ({ capture }) => (capture === undefined ? null : 'hook_logits'),
    ],
    [
      'the lens ends in the logits',
      'a pass of no block',
      ({ startBlock = 0 }) => (startBlock === model.architecture.layerCount ? 'hook_logits' : null),
    ],
    [
      'padding moves nothing',
      'padded passes',
      ({ mask }) => (mask === undefined ? null : 'blocks.0.attn.hook_rot_q'),
    ],
    [
      'two parts are the whole',
      'second parts',
      ({ startBlock = 0 }) =>
        startBlock > 0 && startBlock < model.architecture.layerCount ? 'hook_logits' : null,
    ],
  ])('finds that %s not, where %s are wrong', async (name, _, hook, factor) => {
    expect(await failures(broken(hook, factor))).toContain(name);
  });

  it('names the first place whose values are no numbers', async () => {
    const place = 'blocks.1.attn.hook_z';
    const checks = await validateModel(broken(() => place, Number.NaN));
    const finite = checks.find(({ name }) => name === 'logits are finite');
    expect(finite).toMatchObject({ passed: false, place: 'blocks.1.hook_attn_out' });
    const sound = await validateModel(model);
    expect(sound.every((check) => !('place' in check))).toBe(true);
  });
});
