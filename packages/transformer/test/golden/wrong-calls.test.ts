import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createGenerationEngine,
  type ForwardInput,
  generate,
  generateT5,
  hiddenStates,
  hookGradients,
  type Intervention,
  loadModel,
  loadT5,
  logitAttribution,
  logitLens,
  type Model,
  outputParts,
  type T5Input,
  type T5Model,
  t5LogitAttribution,
  t5LogitLens,
} from '../../src/index.js';

const folder = join(import.meta.dirname, 'checkpoints');
const ids = [[5, 9, 3]];

/** What somebody may write who has no types. */
const untyped = <T>(value: unknown): T => value as T;

beforeAll(async () => {
  await selectBackend('wasm');
});

describe('a decoder', () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(join(folder, 'llama'));
  });
  afterAll(() => model.dispose());

  it.each<[Record<string, unknown>, RegExp]>([
    [{ attention_mask: [[1, 1, 1]] }, /unknown option "attention_mask"/],
    [{ maks: [[1, 1, 1]] }, /unknown option "maks"/],
    [{ logits: 'lst' }, /logits is "lst" and must be one of all, last, none/],
    [{ residualPositions: 'first' }, /must be one of all, last/],
    [{ capturePositions: 'first' }, /must be one of all, last/],
    [{ ids: [1, 2, 3] }, /ids is a list of 3 and must be a list of lists of numbers/],
    [{ ids: undefined }, /ids is missing/],
    [{ mask: [1, 1, 1] }, /mask is a list of 3/],
    [{ mask: [[0, 0, 0]] }, /mask of text 0 counts no token/],
    [{ capture: ['hook_embed'] }, /capture is a list of 1 and must be a name, a pattern/],
    [{ capture: 5 }, /capture is 5/],
    [{ hooks: { names: 'hook_embed', run: () => undefined } }, /hooks is an object and must be/],
    [{ hooks: [{ names: 'hook_embed' }] }, /hooks is a list of 1 and must be a list of hooks/],
    [{ interventions: { kind: 'zero', site: 'z' } }, /interventions is an object and must be/],
    [{ interventions: ['zero'] }, /must be a list of interventions/],
    [{ startBlock: 0.5 }, /startBlock is 0\.5 and must be a whole number/],
    [{ residual: [[1]] }, /residual is a list of 1 and must be a tensor/],
    [{ signal: 'stop' }, /must be an AbortSignal/],
  ])('refuses %j', async (wrong, message) => {
    const input = untyped<ForwardInput>({ ids, ...wrong });
    await expect(model.forward(input)).rejects.toThrow(message);
  });

  it('refuses no options at all', async () => {
    await expect(model.forward(untyped(undefined))).rejects.toThrow(/the options are undefined/);
  });

  it.each([0, -1, 1.5])('a lens of %d tokens is refused', async (top) => {
    await expect(logitLens(model, { ids, top })).rejects.toThrow(/top is /);
  });

  it('refuses what a lens, an attribution, states and gradients do not know', async () => {
    const wrong = {
      ids,
      tops: 3,
      tokens: [1],
      places: /hook_z$/,
      outputGradients: (x: unknown) => x,
    };
    await expect(logitLens(model, untyped({ ids, tops: 3 }))).rejects.toThrow(/did|unknown option/);
    await expect(logitAttribution(model, untyped({ ids, tops: 3, tokens: [1] }))).rejects.toThrow(
      /unknown option "tops"/,
    );
    await expect(logitAttribution(model, untyped({ ids }))).rejects.toThrow(/tokens is missing/);
    await expect(hookGradients(model, untyped(wrong))).rejects.toThrow(/unknown option/);
    const states = hiddenStates(model, [{ ids }], untyped({ positions: 'lst' }));
    await expect(states.next()).rejects.toThrow(/positions is "lst"/);
  });

  it('refuses changes of a continuation that are no list', async () => {
    const interventions = untyped<Intervention[]>({ kind: 'zero', site: 'z' });
    await expect(generate(model, ids, { interventions })).rejects.toThrow(
      /interventions is an obj/,
    );
    const hooks = untyped<[]>('hook_embed');
    await expect(generate(model, ids, { hooks })).rejects.toThrow(/hooks is "hook_embed"/);
  });

  it('takes what was captured as the value of a change', async () => {
    const place = 'blocks.1.hook_resid_post';
    const other = await model.forward({ ids: [[7, 2, 61]], capture: place });
    const { data } = other.captured.get(place)!;
    const run = async (value: Intervention['value']) => {
      const change: Intervention = { kind: 'patch', site: place, value };
      const result = await model.forward({ ids, interventions: [change] });
      const logits = Array.from(await result.logits!.data());
      result.dispose();
      return logits;
    };
    const wanted = Array.from(await other.logits!.data());
    expect(await run(data)).toEqual(wanted);
    expect(await run(Float64Array.from(data))).toEqual(wanted);
    expect(await run(Array.from(data))).toEqual(wanted);
    await expect(run(data.subarray(1))).rejects.toThrow(/numbers, the place has/);
    await expect(run(new Float32Array(data.length).fill(Number.NaN))).rejects.toThrow(/holds NaN/);
    const typed = untyped<number[]>(new Uint8Array(3));
    await expect(run(typed)).rejects.toThrow(/value must be a number or a list/);
    other.dispose();
    // All tokens of a continuation must be in one pass, as with a plain list.
    const written = async (value: Intervention['value']) => {
      const interventions: Intervention[] = [{ kind: 'add', site: place, value, steps: [0] }];
      const [result] = await generate(model, ids, { interventions, maxNewTokens: 3 });
      return result!.ids;
    };
    expect(await written(data)).toEqual(await written(Array.from(data)));
  });
});

describe('a T5', () => {
  let model: T5Model;
  beforeAll(async () => {
    model = await loadT5(join(folder, 't5'));
  });
  afterAll(() => model.dispose());

  it.each<[Record<string, unknown>, RegExp]>([
    [{}, /decoderIds is missing/],
    [{ decoderIds: [[0], [0]] }, /decoderIds are 2 rows, ids 1/],
    [{ decoderIds: [[0, 5000]] }, /decoderIds: text 0, token 1 has the id 5000/],
    [{ decoderIds: [[0]], decoderMask: [[0]] }, /decoderMask of text 0 counts no token/],
    [{ decoderIds: [[0]], decoderMask: [[1, 1]] }, /decoderMask must be 1 rows of 1/],
    [{ decoderIds: [0] }, /decoderIds is a list of 1/],
    [{ decoderIds: [[0]], decoder_ids: [[0]] }, /unknown option "decoder_ids"/],
    [{ decoderIds: [[0]], capture: ['a'] }, /capture is a list of 1/],
    [{ decoderIds: [[0]], hooks: 5 }, /hooks is 5/],
  ])('refuses %j', async (wrong, message) => {
    const input = untyped<T5Input>({ ids, ...wrong });
    await expect(model.forward(input)).rejects.toThrow(message);
    const asked = untyped<T5Input & { tokens: number[] }>({ ...input, tokens: [1] });
    if ('capture' in wrong || 'hooks' in wrong) return;
    await expect(t5LogitAttribution(model, asked)).rejects.toThrow(message);
    await expect(t5LogitLens(model, input)).rejects.toThrow(message);
  });

  it('refuses a lens of no tokens and an attribution without tokens', async () => {
    const input = { ids, decoderIds: [[0]] };
    await expect(t5LogitLens(model, { ...input, top: 0 })).rejects.toThrow(/top is 0/);
    await expect(t5LogitAttribution(model, untyped(input))).rejects.toThrow(/tokens is missing/);
    const interventions = untyped<Intervention[]>('zero');
    await expect(generateT5(model, ids, { interventions })).rejects.toThrow(
      /must be a list of int/,
    );
  });
});

describe('loading', () => {
  it.each<[unknown, Record<string, unknown>, RegExp]>([
    [undefined, {}, /path is missing/],
    ['', {}, /path is ""/],
    ['x', { residency: 'gpu' }, /residency is "gpu" and must be one of auto, resident/],
    ['x', { budget: 5 }, /unknown option "budget"/],
    ['x', { budgetBytes: '4GB' }, /budgetBytes is "4GB" and must be a number/],
    ['x', { validate: true }, /validate is true/],
  ])('%s with %j is refused', async (path, options, message) => {
    await expect(loadModel(untyped(path), options)).rejects.toThrow(message);
    await expect(loadT5(untyped(path), options)).rejects.toThrow(message);
  });
});

it('a model that has been disposed says so, whatever is asked of it', async () => {
  const message = 'this model has been disposed';
  for (const residency of ['resident', 'streamed'] as const) {
    const model = await loadModel(join(folder, 'llama'), { residency });
    const engine = createGenerationEngine(model);
    model.dispose();
    model.dispose();
    await expect(model.forward({ ids })).rejects.toThrow(message);
    await expect(logitLens(model, { ids })).rejects.toThrow(message);
    await expect(logitAttribution(model, { ids, tokens: [1] })).rejects.toThrow(message);
    await expect(hiddenStates(model, [{ ids }]).next()).rejects.toThrow(message);
    const rows = tf.zeros<tf.Rank.R2>([1, model.architecture.width]);
    await expect(outputParts(model, rows, 8).next()).rejects.toThrow(message);
    rows.dispose();
    expect(() => engine.submit({ prompt: ids[0]! })).toThrow(message);
    await engine.dispose();
  }
  const t5 = await loadT5(join(folder, 't5'));
  t5.dispose();
  const input = { ids, decoderIds: [[0]] };
  await expect(t5.forward(input)).rejects.toThrow(message);
  await expect(t5LogitAttribution(t5, { ...input, tokens: [1] })).rejects.toThrow(message);
  await expect(generateT5(t5, ids)).rejects.toThrow(message);
});
