import '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { loadModel, type Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import { causalCheck } from './causal.js';
import { bestFirstTokens, measuredOpenings, namedOpenings, type Openings } from './first-tokens.js';
import { meanRow } from './graft-vectors.js';
import type { EncodedPrompt } from './hidden-states.js';
import { lastTokenStates, type StateRows } from './state-rows.js';
import {
  meanDistance,
  type Steering,
  steeredFirstTokens,
  steeringInterventions,
} from './steering.js';

let model: Model;
let prompts: readonly EncodedPrompt[];
let states: StateRows;
let openings: Openings;

beforeAll(async () => {
  await selectBackend('wasm');
  model = await loadModel(organism);
  const found = await organismPrompts(4, ['data.format=chat']);
  prompts = found.prompts;
  states = await lastTokenStates(model, prompts);
  const best = await bestFirstTokens(model, prompts);
  openings = measuredOpenings(best.slice(4), best.slice(0, 4));
});
afterAll(() => model.dispose());

/** What the first prompt's last token is at a state, under a steering. */
const stateUnder = async (steering: Steering, state: number) => {
  const { ids } = prompts[0]!;
  const interventions = steeringInterventions(model.architecture, steering, ids.length);
  const result = await model.forward({
    ...{ ids: [ids], interventions, capture: `blocks.${state}.hook_resid_pre`, logits: 'none' },
  });
  result.dispose();
  const { data } = result.captured.get(`blocks.${state}.hook_resid_pre`)!;
  return { all: data, last: data.slice(-128) };
};

const direction = { vector: Float64Array.from({ length: 128 }, (_, at) => (at === 5 ? 2 : 0)) };

describe('a direction', () => {
  it('is added in units of its own, to all tokens or the last', async () => {
    const own = (await states.readState(3)).slice(0, 128);
    const steering = { kind: 'add', states: [3], dose: 1.5 } as const;
    const unit = { ...direction, unit: 4 };
    const { last, all } = await stateUnder({ ...steering, direction: unit }, 3);
    expect(last[5]! - own[5]!).toBeClose(6, { atol: 1e-4 });
    const at = { ...steering, direction: unit, positions: 'last' } as const;
    const others = await stateUnder(at, 3);
    expect(others.last[5]! - own[5]!).toBeClose(6, { atol: 1e-4 });
    expect(all[5]! - others.all[5]!).toBeClose(6, { atol: 1e-4 });
  });
  it('is taken out, or set to a coordinate', async () => {
    const out = { kind: 'project-out', direction, states: [3] } as const;
    expect((await stateUnder(out, 3)).last[5]).toBeClose(0, { atol: 1e-5 });
    const set = await stateUnder({ ...out, coordinate: -2 }, 3);
    expect(set.last[5]).toBeClose(-2, { atol: 1e-5 });
  });
  it('must be as wide as states, and some length long', () => {
    const { architecture } = model;
    const given = { kind: 'add', states: [3] } as const;
    const narrow = { ...given, direction: { vector: [1, 2] } };
    expect(() => steeringInterventions(architecture, narrow, 3)).toThrow(/2 numbers/);
    const zero = { ...given, direction: { vector: new Float64Array(128) } };
    expect(() => steeringInterventions(architecture, zero, 3)).toThrow(/length 0/);
    const outside = { ...given, direction, states: [6] };
    expect(() => steeringInterventions(architecture, outside, 3)).toThrow(/no state 6/);
  });
});

it('measures how far classes are apart', () => {
  const rows = Float32Array.of(0, 1, 0, 3, 5, 5, 5, 7);
  const found = meanDistance(rows, [false, false, true, true], [0, 2]);
  expect(found).toEqual({ unit: 4, positive: 6, negative: 2 });
});

it('opens as the model does, or as texts say', () => {
  const tokenizer = {
    encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0)),
    decode: ([id]: readonly number[]) => String.fromCharCode(id!),
  };
  const named = namedOpenings(tokenizer, { refusal: ['No'], compliance: ['Yes', 'Yeah'] });
  expect(named).toEqual({ refusal: [78], compliance: [89] });
  const shared = { refusal: ['Yes'], compliance: ['Yeah'] };
  expect(() => namedOpenings(tokenizer, shared)).toThrow(/opens refusals and answers/);
  expect(() => namedOpenings(tokenizer, { refusal: [], compliance: ['Y'] })).toThrow(/no texts/);
  const both = measuredOpenings(Int32Array.of(1, 1, 2), Int32Array.of(2, 3, 3));
  expect(both).toEqual({ refusal: [1], compliance: [3] });
  expect(() => measuredOpenings(Int32Array.of(1, 1), Int32Array.of(1, 1))).toThrow(/alike/);
});

it('wants random directions to set a removal against', async () => {
  const given = { prompts, openings, direction };
  await expect(causalCheck(model, { ...given, draws: 0 })).rejects.toThrow(/draws is 0/);
  const found = await causalCheck(model, { ...given, draws: 2 });
  expect(found.states).toEqual([0, 1, 2, 3, 4]);
  expect(found.random.gapEffects).toHaveLength(2);
  expect(found.random.gapLow).toBeLessThanOrEqual(found.random.gapHigh);
});

it('changes nothing with a dose of 0', async () => {
  const mean = meanRow(await states.readState(4), 128);
  const steering = { kind: 'add', direction: { vector: mean }, states: [4], dose: 0 } as const;
  const plain = await steeredFirstTokens(model, { prompts, openings }, []);
  const zero = await steeredFirstTokens(model, { prompts, openings }, [steering]);
  expect(zero).toEqual(plain);
});
