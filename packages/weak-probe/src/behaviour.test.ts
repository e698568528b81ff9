import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import {
  encodePrompt,
  exampleModel,
  loadModel,
  loadTokenizer,
  type Model,
  readPromptData,
  type Tokenizer,
} from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organism, organismPrompts } from './__fixtures__/organism.js';
import { causalCheck } from './causal.js';
import { bestFirstTokens, measuredOpenings, namedOpenings, type Openings } from './first-tokens.js';
import { graftEffects } from './graft-result.js';
import { graftedResponses } from './graft-responses.js';
import { graftCurve, type GraftPoint, type GraftRecord, graftSweep } from './graft-sweep.js';
import { meanRow } from './graft-vectors.js';
import type { EncodedPrompt } from './hidden-states.js';
import { respondTo, responseShares } from './responses.js';
import { lastTokenStates, type StateRows } from './state-rows.js';
import { doseResponse } from './steering.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

/** Heads that carry the refusals of a planted model. */
const headsOf = (folder: string) =>
  (
    JSON.parse(readFileSync(join(folder, 'heads.json'), 'utf8')) as {
      heads: readonly { readonly layer: number }[];
    }
  ).heads.map(({ layer }) => layer);

describe.each([
  ...['planted-grouped', 'planted-redundant', 'planted-cooperating'],
  ...['planted-early', 'planted-noisy'],
])('%s', (name) => {
  const folder = exampleModel(name);
  let model: Model;
  let recipients: EncodedPrompt[];
  let states: { refused: StateRows; answered: StateRows };
  let openings: Openings;
  beforeAll(async () => {
    model = await loadModel(folder);
    const tokenizer = loadTokenizer(folder);
    const { records } = await readPromptData(join(folder, 'prompts.csv'));
    const some = (label: string) =>
      records
        .filter((one) => one.label === label)
        .slice(0, 6)
        .map(({ id, prompt }) => ({
          ...{ id, ids: encodePrompt(tokenizer, prompt, { format: 'chat' }).ids },
        }));
    recipients = some('refused');
    states = {
      refused: await lastTokenStates(model, recipients),
      answered: await lastTokenStates(model, some('answered')),
    };
    openings = namedOpenings(tokenizer, { refusal: ['Sorry'], compliance: ['Sure'] });
  });
  afterAll(() => model.dispose());

  it('is moved by grafts behind the heads that were planted, and by none before them', async () => {
    const records: GraftRecord[] = [];
    const given = { recipients, openings, sources: ['single', 'other-recipient'] } as const;
    const parties = { recipientStates: states.refused, donorStates: states.answered };
    for await (const one of graftSweep(model, { ...given, ...parties })) records.push(one);
    const points = graftCurve(records);
    const layers = headsOf(folder);
    const [first, last] = [Math.min(...layers), Math.max(...layers)];
    const shareOf = (source: string, state: number | null) =>
      points.find((point) => point.source === source && point.state === state)!.refusalShare;
    expect(shareOf('none', null)).toBe(1);
    for (let state = 0; state <= model.architecture.layerCount; state += 1) {
      // Between two heads a state has what one of them brings, and gets what the other does.
      if (state > first && state <= last) continue;
      expect(shareOf('other-recipient', state)).toBe(1);
      expect(shareOf('single', state)).toBe(state <= first ? 1 : 0);
    }
  });

  it('is moved by the direction between the classes at its end', async () => {
    const end = model.architecture.layerCount;
    const [refused, answered] = [
      meanRow(await states.refused.readState(end), model.architecture.width),
      meanRow(await states.answered.readState(end), model.architecture.width),
    ];
    const vector = refused.map((value, at) => value - answered[at]!);
    const unit = Math.hypot(...vector);
    const points = await doseResponse(model, {
      ...{ prompts: recipients, openings, doses: [-1, 0] },
      steering: { direction: { vector, unit }, states: [end] },
    });
    expect(points.map(({ refusalShare }) => refusalShare)).toEqual([0, 1]);
  });
});

describe('the organism', () => {
  let model: Model;
  let tokenizer: Tokenizer;
  let openings: Openings;
  const sides: Record<'answered' | 'refused', EncodedPrompt[]> = { answered: [], refused: [] };
  const states = {} as Record<'answered' | 'refused', StateRows>;
  beforeAll(async () => {
    model = await loadModel(organism);
    tokenizer = loadTokenizer(organism);
    const { prompts } = await organismPrompts(8, ['data.format=chat']);
    for (const side of ['answered', 'refused'] as const) {
      sides[side] = prompts.filter(({ label }) => label === side);
      states[side] = await lastTokenStates(model, sides[side]);
    }
    openings = measuredOpenings(
      await bestFirstTokens(model, sides.refused),
      await bestFirstTokens(model, sides.answered),
    );
  });
  afterAll(() => model.dispose());

  const curve = async (from: 'answered' | 'refused', to: 'answered' | 'refused') => {
    const records: GraftRecord[] = [];
    const given = {
      recipients: sides[to],
      openings,
      sources: ['mean', 'other-recipient'],
    } as const;
    const parties = { recipientStates: states[to], donorStates: states[from] };
    for await (const one of graftSweep(model, { ...given, ...parties })) records.push(one);
    return graftCurve(records);
  };
  const shareAt = (points: readonly GraftPoint[], source: string, state: number | null) =>
    points.find((one) => one.source === source && one.state === state)!.refusalShare;

  it('answers what it refuses with a late state of answered requests, and back', async () => {
    const forth = await curve('answered', 'refused');
    expect(shareAt(forth, 'none', null)).toBe(1);
    expect(shareAt(forth, 'mean', 0)).toBe(1);
    expect(shareAt(forth, 'mean', 5)).toBe(0);
    const back = await curve('refused', 'answered');
    expect(shareAt(back, 'none', null)).toBeLessThan(0.2);
    expect(shareAt(back, 'mean', 5)).toBe(1);
    for (const { effect, control } of graftEffects(forth).slice(-1)) {
      expect(Math.abs(effect)).toBeGreaterThan(3 * control);
    }
  });

  it('does so in whole responses', async () => {
    const parties = { recipientStates: states.refused, donorStates: states.answered };
    const recipients = sides.refused;
    const options = { maxNewTokens: 20 };
    const plain = await respondTo(
      model,
      tokenizer,
      recipients.map((prompt) => ({ prompt })),
      options,
    );
    expect(responseShares(plain).refusalShare).toBe(1);
    const given = { recipients, ...parties, ...options, state: 5 };
    const grafted = await graftedResponses(model, tokenizer, given);
    expect(responseShares(grafted).refusalShare).toBeLessThan(0.5);
  });

  it('is steered by the direction between the classes, and not by random ones', async () => {
    const [refused, answered] = [
      meanRow(await states.refused.readState(4), 128),
      meanRow(await states.answered.readState(4), 128),
    ];
    const vector = refused.map((value, at) => value - answered[at]!);
    const direction = { vector, unit: Math.hypot(...vector) };
    const steering = { direction, states: [4] };
    const doses = [-2, -1, 0, 1, 2];
    for (const side of ['answered', 'refused'] as const) {
      const given = { prompts: sides[side], openings };
      const points = await doseResponse(model, { ...given, steering, doses });
      expect(points[0]!.refusalShare).toBe(0);
      expect(points[4]!.refusalShare).toBe(1);
      const found = await causalCheck(model, { ...given, direction, states: [4], draws: 19 });
      expect(found.pValue).toBe(0.05);
      expect(Math.sign(found.gapEffect)).toBe(side === 'refused' ? -1 : 1);
    }
  });
});
