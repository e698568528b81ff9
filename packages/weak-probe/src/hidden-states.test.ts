import { hiddenStates, loadModel, type Model } from '@lab/transformer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '@lab/core/testing';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import { type EncodedPrompt, promptStates, type PromptStatesOptions } from './hidden-states.js';

/** Two orders of summation in float32. */
const CLOSE = { atol: 1e-4, rtol: 1e-4 } as const;
const last = { site: 'residual', positions: 'last' } as const;

let model: Model;
let prompts: readonly EncodedPrompt[];

beforeAll(async () => {
  model = await loadModel(organism);
  ({ prompts } = await organismPrompts(3));
});
afterAll(() => model.dispose());

async function statesOf(of: Model, options: PromptStatesOptions, given = prompts) {
  const states: Float32Array[] = [];
  for await (const { state, rows } of promptStates(of, given, options)) states[state] = rows;
  return states;
}

test('states are those of single passes, the last one before the final norm', async () => {
  const states = await statesOf(model, last);
  expect(states).toHaveLength(6);
  for (const [at, { ids }] of prompts.entries()) {
    const single = hiddenStates(model, [{ ids: [ids] }], { positions: 'last' });
    for await (const { layer, data } of single) {
      const own = states[layer]!.slice(at * 128, (at + 1) * 128);
      if (layer < 5) expect(own).toBeClose(data, CLOSE);
    }
    const result = await model.forward({ ids: [ids], logits: 'none' });
    const residual = ((await result.residual.data()) as Float32Array).slice(-128);
    result.dispose();
    expect(states[5]!.slice(at * 128, (at + 1) * 128)).toBeClose(residual, CLOSE);
  }
});

test('with isNormed the last state is that of transformers', async () => {
  const states = await statesOf(model, { ...last, isNormed: true });
  for await (const { layer, data } of hiddenStates(model, [{ ids: [prompts[0]!.ids] }])) {
    if (layer === 5) expect(states[5]!.slice(0, 128)).toBeClose(data.slice(-128), CLOSE);
  }
});

test('block by block, with streamed weights, states are the same', async () => {
  const streamed = await loadModel(organism, { residency: 'streamed' });
  const [whole, parts] = [await statesOf(model, last), await statesOf(streamed, last)];
  streamed.dispose();
  for (const [state, rows] of parts.entries()) expect(rows).toBeClose(whole[state]!, CLOSE);
});

test('small batches give the rows of large ones', async () => {
  const [small, large] = [
    await statesOf(model, { ...last, batchTokens: 1 }),
    await statesOf(model, last),
  ];
  for (const [state, rows] of small.entries()) expect(rows).toBeClose(large[state]!, CLOSE);
});

test('positions: mean, highest and end of the prompt are those of all tokens', async () => {
  const given = prompts.slice(0, 2).map((one, at) => ({ ...one, promptEnd: 2 + at }));
  const options = (positions: PromptStatesOptions['positions']) => ({ ...last, positions });
  const all = await statesOf(model, options('tokens'), given);
  const [mean, max] = [
    await statesOf(model, options('mean'), given),
    await statesOf(model, options('max'), given),
  ];
  const end = await statesOf(model, options('prompt-end'), given);
  const final = await statesOf(model, options('last'), given);
  let first = 0;
  for (const [at, { ids }] of given.entries()) {
    const token = (row: number) => all[3]!.slice((first + row) * 128, (first + row + 1) * 128);
    const rows = ids.map((_, row) => token(row));
    const meanRow = rows[0]!.map(
      (_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length,
    );
    const maxRow = rows[0]!.map((_, d) => Math.max(...rows.map((row) => row[d]!)));
    const own = (states: readonly Float32Array[]) => states[3]!.slice(at * 128, (at + 1) * 128);
    expect(own(mean)).toBeClose(meanRow, CLOSE);
    expect(own(max)).toBeClose(maxRow, CLOSE);
    expect(own(end)).toBeClose(token(2 + at), CLOSE);
    expect(own(final)).toBeClose(token(ids.length - 1), CLOSE);
    first += ids.length;
  }
});

test('sites within blocks are the values of their hooks', async () => {
  const [{ ids }] = prompts as readonly [EncodedPrompt];
  const names = { attention: 'hook_attn_out', mlp: 'hook_mlp_out', heads: 'attn.hook_z' } as const;
  for (const [site, name] of Object.entries(names)) {
    const states = await statesOf(model, { ...last, site: site as 'mlp' }, [prompts[0]!]);
    expect(states).toHaveLength(5);
    const capture = `blocks.2.${name}`;
    const result = await model.forward({ ids: [ids], capture, logits: 'none' });
    result.dispose();
    expect(states[2]!).toBeClose(result.captured.get(capture)!.data.slice(-128), CLOSE);
  }
});

test('a value that is not finite names prompt and state', async () => {
  const broken = Object.assign(Object.create(model) as Model, {
    forward: async (input: Parameters<Model['forward']>[0]) => {
      const result = await model.forward(input);
      result.captured.get('blocks.2.hook_resid_pre')!.data[130] = Number.NaN;
      return result;
    },
  });
  const given = prompts.slice(0, 2).map((one) => ({ ...one, ids: prompts[0]!.ids }));
  await expect(statesOf(broken, last, given)).rejects.toThrow(`state 2 of prompt ${given[1]!.id}`);
});
