import '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { loadModel, loadTokenizer, type Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import type { EncodedPrompt } from './hidden-states.js';
import { lensStates, type StateLens } from './lens.js';
import { identityText, type PatchscopeOptions, patchscopeStates } from './patchscope.js';
import { lastTokenStates, type StateRows, stateRows } from './state-rows.js';

let model: Model;
let prompts: readonly EncodedPrompt[];
let rows: StateRows;
let target: readonly number[];

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(organism);
  ({ prompts } = await organismPrompts(3, ['data.format=chat']));
  rows = await lastTokenStates(model, prompts);
  target = loadTokenizer(organism).encode(identityText);
});
afterAll(() => model.dispose());

const read = async (given: StateRows, options: Partial<PatchscopeOptions> = {}) => {
  const found: StateLens[] = [];
  const asked = { target, ...options };
  for await (const one of patchscopeStates(model, given, asked)) found.push(one);
  return found;
};

describe('a patchscope', () => {
  it('says at the last state what the lens says', async () => {
    const [found] = await read(rows, { states: [5], tokens: [3] });
    for await (const lens of lensStates(model, rows, { states: [5], tokens: [3] })) {
      expect(found!.ids).toEqual(lens.ids);
      expect(found!.logits).toBeClose(lens.logits, { atol: 1e-4 });
      expect(found!.followed!.ranks).toEqual(lens.followed!.ranks);
    }
  });
  it("of the text's own states says what the model says of the text", async () => {
    const own = await lastTokenStates(model, [{ id: 'text', ids: target }]);
    const result = await model.forward({ ids: [[...target]], logits: 'last' });
    const logits = Array.from(await result.logits!.data());
    result.dispose();
    const best = logits.indexOf(Math.max(...logits));
    for (const { state, ids, logits: found } of await read(own)) {
      expect([state, ids[0]]).toEqual([state, best]);
      expect(found[0]).toBeClose(logits[best], { atol: 1e-3 });
    }
  });
  it('reads some prompts at a time as all of them', async () => {
    const [all, few] = [await read(rows), await read(rows, { batchTokens: 1 })];
    for (const [at, { ids, logits }] of all.entries()) {
      expect(few[at]!.ids).toEqual(ids);
      expect(few[at]!.logits).toBeClose(logits, { atol: 1e-4 });
    }
  });
  it('keeps nothing on the backend', async () => {
    await expectNoLeak(async () => {
      await read(rows, { states: [1, 4] });
    });
  });
  it('refuses texts without tokens, states that are not there, rows of others', async () => {
    await expect(read(rows, { target: [] })).rejects.toThrow(/has no tokens/);
    await expect(read(rows, { states: [6] })).rejects.toThrow(/no state 6/);
    await expect(read(rows, { top: 0 })).rejects.toThrow(/top is 0/);
    const narrow = Array.from({ length: 6 }, () => new Float32Array(6));
    await expect(read(stateRows(narrow, 3))).rejects.toThrow(/the model has/);
  });
});
