import '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { loadModel, loadTokenizer, logitLens, type Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import type { EncodedPrompt } from './hidden-states.js';
import { lensStates, type LensOptions, type StateLens } from './lens.js';
import { partShape } from './lens-parts.js';
import { statePlaces } from './state-places.js';
import { lastTokenStates, pickedRows, type StateRows, stateRows } from './state-rows.js';

let model: Model;
let prompts: readonly EncodedPrompt[];
let rows: StateRows;

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(organism);
  ({ prompts } = await organismPrompts(4, ['data.format=chat']));
  rows = await lastTokenStates(model, prompts);
});
afterAll(() => model.dispose());

const read = async (given: StateRows, options: LensOptions = {}) => {
  const lens: StateLens[] = [];
  for await (const one of lensStates(model, given, options)) lens.push(one);
  return lens;
};

describe('the lens', () => {
  it('says at state L what the model says, and elsewhere what a single lens does', async () => {
    const lens = await read(rows);
    expect(lens.map(({ state }) => state)).toEqual([0, 1, 2, 3, 4, 5]);
    const single = await logitLens(model, { ids: [prompts[3]!.ids] });
    for (const { state, ids, logProbabilities, top } of lens) {
      const wanted = single[state]!.tokens[0]!;
      expect([...ids.subarray(3 * top, 4 * top)]).toEqual(wanted.map(({ id }) => id));
      const shares = logProbabilities.subarray(3 * top, 4 * top);
      const expected = wanted.map(({ logProbability }) => logProbability);
      expect([...shares]).toBeClose(expected, { atol: 1e-4 });
    }
    const result = await model.forward({ ids: [prompts[0]!.ids], logits: 'last' });
    const logits = Array.from(await result.logits!.data());
    result.dispose();
    const best = logits.indexOf(Math.max(...logits));
    expect(lens[5]!.ids[0]).toBe(best);
    expect(lens[5]!.logits[0]).toBeClose(logits[best], { atol: 1e-4 });
  });
  it('follows tokens: logit, probability and rank', async () => {
    const sorry = loadTokenizer(organism).encode(' Sorry', { addSpecialTokens: false })[0]!;
    const [lens] = await read(rows, { states: [5], tokens: [sorry, 0], top: 3 });
    const { followed, ids, logits, logProbabilities } = lens!;
    for (let row = 0; row < prompts.length; row += 1) {
      const place = ids.subarray(3 * row, 3 * row + 3).indexOf(sorry);
      const rank = followed!.ranks[2 * row]!;
      expect(rank <= 3 ? rank - 1 : -1).toBe(place);
      if (place < 0) continue;
      expect(followed!.logits[2 * row]).toBe(logits[3 * row + place]);
      expect(followed!.logProbabilities[2 * row]).toBe(logProbabilities[3 * row + place]);
    }
    expect(followed!.ranks.some((rank) => rank === 1)).toBe(true);
    expect(Math.max(...followed!.ranks)).toBeGreaterThan(3);
  });
  it('has entropies between 0 and that of an even choice', async () => {
    const lens = await read(rows);
    const { vocabularySize } = model.architecture;
    for (const { entropies } of lens) {
      for (const one of entropies) {
        expect(one).toBeGreaterThan(0);
        expect(one).toBeLessThan(Math.log(vocabularySize));
      }
    }
  });
  it('norms the last state twice where released code does', async () => {
    const [once] = await read(rows, { states: [5] });
    const [twice] = await read(rows, { states: [5], norm: 'official' });
    const normed = await lastTokenStates(model, prompts);
    const state = await normed.readState(5);
    const residual = tf.tensor3d(state, [1, prompts.length, rows.width]);
    const end = await model.forward({
      ...{ ids: [new Int32Array(prompts.length)], residual, startBlock: 5, logits: 'none' },
      capture: 'ln_final.hook_normalized',
    });
    tf.dispose([residual]);
    end.dispose();
    const states = Array.from({ length: 6 }, (_, at) =>
      at === 5
        ? end.captured.get('ln_final.hook_normalized')!.data
        : new Float32Array(state.length),
    );
    const again = stateRows(states, prompts.length);
    const [byHand] = await read(again, { states: [5] });
    expect(twice!.logits).toEqual(byHand!.logits);
    expect(twice!.logits).not.toEqual(once!.logits);
    const given = { states: [5], norm: 'official', areNormed: true } as const;
    expect((await read(again, given))[0]!.logits).toEqual(twice!.logits);
    await expect(read(again, { areNormed: true })).rejects.toThrow(/behind the final norm/);
    const [first] = await read(rows, { states: [2] });
    expect((await read(rows, { states: [2], norm: 'official' }))[0]).toEqual(first);
  });
  it('keeps nothing on the backend', async () => {
    await expectNoLeak(async () => {
      await read(rows, { states: [1, 5], tokens: [3], norm: 'official' });
    });
  });
});

describe('in parts', () => {
  const tokens = [3, 700, 41];
  it.each([400, 4000, 3 * 4 * 726, 1e6])('of %d bytes reads the same', async (partBytes) => {
    const states = [2, 5];
    const whole = await read(rows, { tokens, states });
    for (const [at, one] of (await read(rows, { tokens, states, partBytes })).entries()) {
      const { ids, logits, logProbabilities, entropies, followed } = whole[at]!;
      expect(one.ids).toEqual(ids);
      for (const [found, expected] of [
        [one.logits, logits],
        [one.logProbabilities, logProbabilities],
        [one.entropies, entropies],
        [one.followed!.logits, followed!.logits],
        [one.followed!.logProbabilities, followed!.logProbabilities],
      ] as const) {
        expect(found).toBeClose(expected, { atol: 1e-4 });
      }
      expect(one.followed!.ranks).toEqual(followed!.ranks);
    }
  });
  it('of the vocabulary, with weights that are read from files, does too', async () => {
    const streamed = await loadModel(organism, { residency: 'streamed' });
    const found: StateLens[] = [];
    const given = { tokens, partBytes: 4000, states: [5] };
    for await (const one of lensStates(streamed, rows, given)) found.push(one);
    streamed.dispose();
    const [whole] = await read(rows, { tokens, states: [5] });
    expect(found[0]!.ids).toEqual(whole!.ids);
    expect(found[0]!.followed!.ranks).toEqual(whole!.followed!.ranks);
    expect(found[0]!.entropies).toBeClose(whole!.entropies, { atol: 1e-4 });
  });
  it('needs memory by the size of the parts', async () => {
    const peakOf = async (partBytes: number) => {
      const before = tf.memory().numBytes;
      const { peakBytes, result } = await tf.profile(async () => {
        await read(rows, { states: [5], partBytes });
        return tf.scalar(0);
      });
      tf.dispose(result);
      return peakBytes - before;
    };
    // Beside logits: rows and what the norm makes of them, and the weights of the tokens of a part.
    const rest = 8 * 4 * prompts.length * rows.width;
    for (const partBytes of [64, 512]) {
      const sizes = { rowCount: prompts.length, vocabularySize: 726 };
      const { tokens: count } = partShape(sizes, { partBytes, areRead: false });
      const weights = 4 * count * rows.width;
      expect(await peakOf(partBytes)).toBeLessThan(6 * partBytes + 2 * weights + rest);
    }
    expect(await peakOf(1e6)).toBeGreaterThan(4 * prompts.length * 726 * 2);
  });
  it.each([
    [1000, 32_000, 64e6, false],
    [1000, 262_144, 64e6, true],
    [3, 262_144, 100_000, false],
    [1, 10, 4, false],
    [7, 5000, 1e9, true],
    [100, 50_000, 20_000, true],
  ])('%d rows of %d tokens in %d bytes, read from files: %s', (rowCount, size, bytes, areRead) => {
    const sizes = { rowCount, vocabularySize: size };
    const shape = partShape(sizes, { partBytes: bytes, areRead });
    expect(4 * shape.rows * shape.tokens).toBeLessThanOrEqual(bytes);
    expect(shape.rows >= 1 && shape.rows <= rowCount).toBe(true);
    expect(shape.tokens >= 1 && shape.tokens <= size).toBe(true);
  });
  it('are of some bytes', async () => {
    await expect(read(rows, { partBytes: 0 })).rejects.toThrow(/parts of 0 bytes/);
  });
});

describe('refuses', () => {
  it.each([0, -1, 1.5, 727])('K of %d', async (top) => {
    await expect(read(rows, { top })).rejects.toThrow(/top is/);
  });
  it('states and tokens that are not there', async () => {
    await expect(read(rows, { states: [6] })).rejects.toThrow(/no state 6/);
    await expect(read(rows, { tokens: [726] })).rejects.toThrow(/no token 726/);
  });
  it('rows that are not finite, or of another width', async () => {
    const bad = Float32Array.from(await rows.readState(0));
    bad[rows.width + 3] = Number.NaN;
    const states = [bad, ...Array.from({ length: 5 }, () => new Float32Array(bad.length))];
    await expect(read(stateRows(states, prompts.length))).rejects.toThrow(/state 0 of row 1/);
    const narrow = states.map(() => new Float32Array(2 * prompts.length));
    await expect(read(stateRows(narrow, prompts.length))).rejects.toThrow(/the model has/);
  });
});

it('picks rows of states', async () => {
  const picked = pickedRows(rows, [2, 0]);
  const [all, some] = [await rows.readState(3), await picked.readState(3)];
  expect(picked.rowCount).toBe(2);
  expect(some.subarray(rows.width)).toEqual(all.subarray(0, rows.width));
});

describe('within blocks', () => {
  it('reads the residual between attention and MLP', async () => {
    const mid = await lastTokenStates(model, prompts, { site: 'mid' });
    expect(mid.stateCount).toBe(6);
    expect(await mid.readState(0)).toEqual(await rows.readState(0));
    const result = await model.forward({
      ...{ ids: [prompts[2]!.ids], capture: 'blocks.3.hook_resid_mid', capturePositions: 'last' },
      logits: 'none',
    });
    result.dispose();
    const expected = result.captured.get('blocks.3.hook_resid_mid')!.data;
    const found = (await mid.readState(4)).subarray(2 * 128, 3 * 128);
    expect([...found]).toBeClose([...expected], { atol: 1e-4 });
    const [lens] = await read(mid, { states: [4] });
    expect(lens!.ids).toHaveLength(5 * prompts.length);
  });
  it('is no place of models whose blocks run both side by side', () => {
    const parallel = { layerCount: 2, isParallel: true };
    expect(() => statePlaces(parallel, { site: 'mid' })).toThrow(/no state within/);
  });
});
