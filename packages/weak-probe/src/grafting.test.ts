import '@lab/core/testing';
import { createRandom } from '@lab/core';
import { selectBackend, tf } from '@lab/tensor';
import { generate, loadModel, type Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import { BlockWalk } from './block-walk.js';
import { bestFirstTokens, measuredOpenings, type Openings } from './first-tokens.js';
import { type Graft, graftedResidual, graftInterventions, rowNorms } from './grafting.js';
import { type GraftRecord, graftSweep } from './graft-sweep.js';
import { graftVectors, meanRow } from './graft-vectors.js';
import { graftedStates } from './grafted-states.js';
import { type EncodedPrompt, promptBatches } from './hidden-states.js';
import { lastTokenStates, rowOf, type StateRows } from './state-rows.js';

let model: Model;
let answered: readonly EncodedPrompt[];
let refused: readonly EncodedPrompt[];
let answeredStates: StateRows;
let refusedStates: StateRows;
let openings: Openings;

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(organism);
  const { prompts } = await organismPrompts(5, ['data.format=chat']);
  answered = prompts.filter(({ label }) => label === 'answered');
  refused = prompts.filter(({ label }) => label === 'refused');
  answeredStates = await lastTokenStates(model, answered);
  refusedStates = await lastTokenStates(model, refused);
  openings = measuredOpenings(
    await bestFirstTokens(model, refused),
    await bestFirstTokens(model, answered),
  );
});
afterAll(() => model.dispose());

const sweep = async (options: Partial<Parameters<typeof graftSweep>[1]> = {}) => {
  const records: GraftRecord[] = [];
  const given = {
    recipients: refused,
    ...{ recipientStates: refusedStates, donorStates: answeredStates, openings, ...options },
  };
  for await (const record of graftSweep(model, given)) records.push(record);
  return records;
};

/** Logits of the first token under interventions, of a prompt by itself. */
const logitsOf = async (prompt: EncodedPrompt, graft: Omit<Graft, 'promptLength'> | null) => {
  const { length } = prompt.ids;
  const interventions =
    graft === null
      ? []
      : graftInterventions(model.architecture, { ...graft, promptLength: length });
  const result = await model.forward({ ids: [prompt.ids], interventions, logits: 'last' });
  const logits = Float32Array.from(await result.logits!.data());
  result.dispose();
  return logits;
};

/** Logit of refusal minus that of compliance. */
const gapOf = (logits: Float32Array) => {
  const sum = (ids: readonly number[]) =>
    Math.log(ids.reduce((total, id) => total + Math.exp(logits[id]!), 0));
  return sum(openings.refusal) - sum(openings.compliance);
};

const difference = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0);

describe('the identity', () => {
  it('is a graft of the own state, at every state', async () => {
    const records = await sweep({ sources: ['self'] });
    expect(records).toHaveLength(7 * refused.length);
    for (const { kl } of records) expect(kl).toBeLessThan(1e-6);
  });
  it('is a donor that is the recipient', async () => {
    const own = { recipientStates: refusedStates, donorStates: refusedStates };
    const records = await sweep({ ...own, sources: ['nearest'] });
    for (const { kl } of records) expect(kl).toBeLessThan(1e-6);
  });
  it('is a share of 0', async () => {
    const records = await sweep({ share: 0, sources: ['mean'] });
    for (const { kl } of records) expect(kl).toBeLessThan(1e-6);
  });
});

describe('a clean graft', () => {
  it('at state L is reading the output of the donor', async () => {
    const vector = rowOf(await answeredStates.readState(5), 0, 128);
    const grafted = await logitsOf(refused[0]!, { state: 5, vector });
    expect(difference(grafted, await logitsOf(answered[0]!, null))).toBeLessThan(1e-4);
    expect(difference(grafted, await logitsOf(refused[0]!, null))).toBeGreaterThan(1);
  });
  it.each(['clean', 'official'] as const)(
    'in a sweep of padded prompts is that of a pass with interventions: %s',
    async (semantics) => {
      const states = semantics === 'clean' ? [0, 2, 5] : [1, 3, 5];
      const options = { semantics, isNormMatched: true, share: 0.7 };
      const records = await sweep({ ...options, states, sources: ['mean'] });
      for (const state of states) {
        const norms = rowNorms(await refusedStates.readState(state), 128);
        const vector = meanRow(await answeredStates.readState(state), 128);
        for (const [row, prompt] of refused.entries()) {
          const ownNorm = norms[row]!;
          const logits = await logitsOf(prompt, { ...options, state, vector, ownNorm });
          const [found] = records.filter((one) => one.row === row && one.state === state);
          expect(found!.gap).toBeClose(gapOf(logits), { atol: 2e-3 });
        }
      }
    },
  );
  it('at several positions is that of a pass with interventions', async () => {
    const positions = [-3, -1];
    const records = await sweep({ positions, states: [3], sources: ['mean'] });
    const vector = meanRow(await answeredStates.readState(3), 128);
    const last = await sweep({ states: [3], sources: ['mean'] });
    for (const [row, prompt] of refused.entries()) {
      const logits = await logitsOf(prompt, { state: 3, vector, positions });
      const of = (found: readonly GraftRecord[]) =>
        found.find((one) => one.row === row && one.state === 3)!;
      expect(of(records).gap).toBeClose(gapOf(logits), { atol: 2e-3 });
      expect(Math.abs(of(last).gap - of(records).gap)).toBeGreaterThan(1e-3);
    }
    await expect(sweep({ positions: [0], states: [3] })).rejects.toThrow(/Count|position 0/);
  });
  it('refuses positions that a shorter prompt of the batch does not have', async () => {
    const lengths = refused.map(({ ids }) => ids.length);
    const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
    expect(longest).toBeGreaterThan(shortest);
    const { id } = refused[lengths.findIndex((length) => length < longest)]!;
    const text = `position -${longest} of `;
    const given = { positions: [-longest], states: [3] };
    await expect(sweep(given)).rejects.toThrow(new RegExp(`${text}\\d+ tokens of prompt ${id}`));
    expect(await sweep({ ...given, positions: [-shortest] })).not.toHaveLength(0);
  });
  it('leaves states before it, and shows the lens those behind', async () => {
    const parties = { recipientStates: refusedStates, donorStates: answeredStates };
    const found = await graftedStates(model, { recipients: refused, ...parties, state: 3 });
    expect(await found.readState(2)).toEqual(await refusedStates.readState(2));
    const mean = meanRow(await answeredStates.readState(3), 128);
    for (const row of refused.keys()) {
      expect(rowOf(await found.readState(3), row, 128)).toBeClose(mean, { atol: 1e-5 });
    }
    const vector = Array.from(mean);
    const logits = await logitsOf(refused[1]!, { state: 3, vector });
    const end = rowOf(await found.readState(5), 1, 128);
    const asLast = await logitsOf(answered[0]!, { state: 5, vector: end });
    expect(difference(logits, asLast)).toBeLessThan(1e-3);
  });
});

describe('official semantics', () => {
  it('leaves the block out for the context, and keeps the donor at the last place', async () => {
    const [batch] = promptBatches(model, refused.slice(0, 1), 4096);
    const walk = new BlockWalk(model, batch!, undefined);
    await walk.to(3);
    const { residual, before } = walk.place;
    const vector = new Float32Array(128).fill(0.5);
    const made = graftedResidual(walk.place, vector, { semantics: 'official' });
    const [T, D] = [residual.shape[1], 128];
    const [own, wanted] = [await made.data(), await before!.data()];
    expect(own.slice(0, (T - 1) * D)).toEqual(wanted.slice(0, (T - 1) * D));
    expect(own.slice((T - 1) * D)).toEqual(vector);
    tf.dispose(made);
    walk.dispose();
  });
  it('has no state 0', () => {
    const graft = { state: 0, vector: new Float32Array(128), promptLength: 4 };
    const given = { ...graft, semantics: 'official' } as const;
    expect(() => graftInterventions(model.architecture, given)).toThrow(/no block before it/);
  });
});

describe('in a generation', () => {
  const tokensOf = async (interventions: Graft, useCache: boolean) => {
    const changes = graftInterventions(model.architecture, interventions);
    const [found] = await generate(model, [refused[0]!.ids], {
      ...{ interventions: changes, useCache, maxNewTokens: 12 },
    });
    return found!.ids;
  };
  const graftOf = async (span: Partial<Graft>): Promise<Graft> => ({
    ...{ state: 3, vector: meanRow(await answeredStates.readState(3), 128) },
    ...{ promptLength: refused[0]!.ids.length, ...span },
  });
  it.each([
    { context: 'fresh', steps: 1 },
    { context: 'fresh', steps: 3 },
    { context: 'kept', steps: 1 },
    { context: 'kept', steps: 3, semantics: 'official' },
  ] as const)('keys and values that are kept change nothing: %j', async (span) => {
    const graft = await graftOf(span);
    expect(await tokensOf(graft, true)).toEqual(await tokensOf(graft, false));
  });
  it('of one step gives the first token alone, and goes on from the text as it is', async () => {
    const graft = await graftOf({ context: 'fresh' });
    const tokens = await tokensOf(graft, true);
    const [clean] = await generate(model, [[...refused[0]!.ids, tokens[0]!]], { maxNewTokens: 11 });
    expect(tokens.slice(1)).toEqual(clean!.ids);
  });
  it('that stays in the context is in every later step', async () => {
    const graft = await graftOf({ context: 'kept' });
    const [first, second] = await tokensOf(graft, true);
    const ids = [...refused[0]!.ids, first!];
    const changes = graftInterventions(model.architecture, graft);
    const place = { ...changes[0]!, positions: [refused[0]!.ids.length - 1] };
    const result = await model.forward({ ids: [ids], interventions: [place], logits: 'last' });
    const logits = Array.from(await result.logits!.data());
    result.dispose();
    expect(logits.indexOf(Math.max(...logits))).toBe(second);
  });
});

describe('refuses', () => {
  const graft = (change: Partial<Graft>): Graft => ({
    ...{ state: 2, vector: new Float32Array(128), promptLength: 4, ...change },
  });
  it.each([
    [graft({ state: 6 }), /no state 6/],
    [graft({ vector: new Float32Array(64) }), /64 numbers, states of the model 128/],
    [graft({ share: 1.5 }), /share is 1.5/],
    [graft({ steps: 0 }), /steps is 0/],
    [graft({ positions: [4] }), /no position 4/],
    [graft({ positions: [-5] }), /no position -5/],
    [graft({ isNormMatched: true }), /length of the own state/],
  ])('%#', (given, message) => {
    expect(() => graftInterventions(model.architecture, given)).toThrow(message);
  });
  it('states of another model, and not as many as recipients', async () => {
    const narrow = { stateCount: 6, width: 8, rowCount: 5, readState: answeredStates.readState };
    await expect(sweep({ donorStates: narrow })).rejects.toThrow(/the model has 6 of width 128/);
    await expect(sweep({ recipients: refused.slice(1) })).rejects.toThrow(/4 recipients/);
  });
});

describe('controls', () => {
  const random = () => createRandom(5);
  const states = {
    donors: Float32Array.of(1, 2, 2, 3, 4, 0),
    recipients: Float32Array.of(0, 1, 0, 2, 3, 1),
    width: 3,
  };
  it('keep the length, or are states of others', () => {
    const noise = graftVectors('noise', states, [0, 1], random());
    const norm = Math.hypot(2, 3, 1);
    expect([...rowNorms(noise, 3)]).toBeClose([norm, norm], { rtol: 1e-6 });
    const shuffled = graftVectors('shuffled', states, [1], random());
    expect([...shuffled].toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    const other = graftVectors('other-recipient', states, [0, 1], random());
    expect([...other]).toEqual([2, 3, 1, 0, 1, 0]);
    expect([...graftVectors('single', states, [1], random())]).toEqual([1, 2, 2]);
  });
  it('do not depend on who else is asked for', () => {
    const both = graftVectors('noise', states, [0, 1], random());
    const second = graftVectors('noise', states, [1], random());
    expect(both.subarray(3)).toEqual(second);
  });
  it('take the donor nearest by angle', () => {
    const vectors = graftVectors(
      'nearest',
      { ...states, recipients: Float32Array.of(3, 4, 0.1) },
      [0],
      random(),
    );
    expect([...vectors]).toEqual([3, 4, 0]);
  });
  it('need donors, and another recipient', () => {
    const alone = { ...states, recipients: Float32Array.of(0, 1, 0) };
    expect(() => graftVectors('other-recipient', alone, [0], random())).toThrow(
      /no other recipient/,
    );
    const none = { ...states, donors: new Float32Array(0) };
    expect(() => graftVectors('mean', none, [0], random())).toThrow(/no donors/);
  });
});
