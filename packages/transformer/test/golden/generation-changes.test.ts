import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { generate, type Intervention, loadModel, type Model } from '../../src/index.js';

const load = (name: string) => loadModel(join(import.meta.dirname, 'checkpoints', name));
const prompts = [[5, 9, 3], [44, 12, 7, 2, 61, 8, 30], [17]];
const maxNewTokens = 12;
const free = { maxNewTokens, ignoreEos: true } as const;

/** What passes over all tokens so far would say, one token after the other. */
async function byPasses(model: Model, prompt: readonly number[], changes: Intervention[]) {
  const ids = [...prompt];
  for (let step = 0; step < maxNewTokens; step += 1) {
    const interventions = changes
      .filter(({ steps }) => steps === undefined || steps.includes(step))
      .map(({ steps: _, positions, ...change }) => ({
        ...change,
        // Positions that are not there yet.
        ...(positions && { positions: positions.filter((at) => at < ids.length) }),
      }));
    const result = await model.forward({ ids: [ids], interventions });
    const all = Array.from((await result.logits!.data()) as Float32Array);
    const logits = all.slice(-model.architecture.vocabularySize);
    ids.push(logits.indexOf(Math.max(...logits)));
    result.dispose();
  }
  return ids.slice(prompt.length);
}

beforeAll(async () => {
  await selectBackend('wasm');
});

const waves = (length: number, size: number) =>
  Array.from({ length }, (_, at) => size * Math.sin(at));
const residual = 'blocks.0.hook_resid_post';
const CHANGES: readonly [string, readonly Intervention[]][] = [
  ['a head without its values', [{ kind: 'zero', site: 'z', layer: 1, head: 2 }]],
  ['scores that are scaled', [{ kind: 'scale', site: 'scores', layer: 0, value: 0.2 }]],
  ['even attention', [{ kind: 'uniform', site: 'pattern', layer: 0, head: 1 }]],
  ['keys of one head', [{ kind: 'scale', site: 'k', layer: 1, head: 3, value: -1 }]],
  ['values of a group', [{ kind: 'zero', site: 'v', layer: 0, head: 1, granularity: 'kv-group' }]],
  ['a direction', [{ kind: 'add', site: residual, value: waves(24, 1) }]],
  ['some tokens', [{ kind: 'zero', site: 'blocks.0.hook_mlp_out', positions: [1, 5, 9] }]],
  ['means over tokens', [{ kind: 'mean', site: 'v', layer: 1 }]],
  [
    'changes that come and go',
    [
      { kind: 'zero', site: 'z', layer: 0, steps: [2, 3, 7] },
      { kind: 'scale', site: 'blocks.1.hook_mlp_out', value: 3, steps: [3, 4] },
    ],
  ],
  [
    'logits of some tokens',
    [{ kind: 'add', site: 'hook_logits', positions: [6, 8], value: waves(97, 9) }],
  ],
];

describe.each(['llama3', 'mistral', 'gemma2', 'falcon-alibi'])('%s', (name) => {
  it.each(CHANGES)('with %s gives what passes over all tokens give', async (_, changes) => {
    const model = await load(name);
    const { numTensors } = tf.memory();
    const interventions = changes as Intervention[];
    const wanted: number[][] = [];
    for (const prompt of prompts) wanted.push(await byPasses(model, prompt, interventions));
    const options = { ...free, interventions, prefillTokens: 3 };
    const found = await generate(model, prompts, options);
    expect(found.map(({ ids }) => ids)).toEqual(wanted);
    const whole = await generate(model, prompts.slice(0, 1), { ...options, useCache: false });
    expect(whole[0]!.ids).toEqual(wanted[0]);
    expect(tf.memory().numTensors).toBe(numTensors);
    model.dispose();
  });
});
