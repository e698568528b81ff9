import { join } from 'node:path';
import { selectBackend } from '@lab/tensor';
import {
  exampleModel,
  loadModel,
  loadTokenizer,
  type Model,
  type PromptRecord,
  readPromptData,
  type Tokenizer,
} from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ablationChanges, resolveAblation } from './ablation.js';
import { armResults, armWarnings, runArms } from './arms.js';
import { courseCorrectionArms } from './course-correction.js';
import { generateResponses, type Response, type ResponseOptions } from './generation.js';
import { createJudge } from './judge.js';
import { overRefusal, refusalChange } from './over-refusal.js';
import type { ResponseLine } from './response-line.js';

const folder = exampleModel('planted-grouped');
/** The head that refusals hang on, as its heads.json says. */
const PLANTED = { layer: 1, head: 5 };
let loaded: { readonly model: Model; readonly tokenizer: Tokenizer };
let refused: readonly PromptRecord[];
let answered: readonly PromptRecord[];

beforeAll(async () => {
  await selectBackend('wasm');
  loaded = { model: await loadModel(folder), tokenizer: loadTokenizer(folder) };
  const { records } = await readPromptData(join(folder, 'prompts.csv'));
  refused = records.filter(({ label }) => label === 'refused').slice(0, 6);
  answered = records.filter(({ label }) => label === 'answered').slice(0, 6);
});

afterAll(() => loaded.model.dispose());

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const responses = (records: readonly PromptRecord[], options: ResponseOptions = {}) =>
  all(generateResponses(loaded, records, { format: 'direct', maxNewTokens: 12, ...options }));

/** The planted head, ablated. */
const changes = () => {
  const { model } = loaded;
  return ablationChanges(model, resolveAblation({ kind: 'uniform' }, model.architecture), [
    PLANTED,
  ]);
};

const textsOf = (found: readonly Response[]) => found.map(({ text }) => text);

describe('generateResponses', () => {
  it('refuses intact, and complies without the planted head', async () => {
    const before = await responses(refused);
    expect(before.map(({ record }) => record.id)).toEqual(refused.map(({ id }) => id));
    for (const text of textsOf(before)) expect(text).toContain('cannot help');
    for (const text of textsOf(await responses(refused, { changes: changes() }))) {
      expect(text).toContain('Sure here is');
    }
  });

  it('gives each prompt its own heads', async () => {
    const first = refused[0]!.id;
    const own = (record: PromptRecord) =>
      record.id === first ? changes() : { interventions: [], hooks: [] };
    const texts = textsOf(await responses(refused, { changes: own }));
    expect(texts[0]).toContain('Sure here is');
    for (const text of texts.slice(1)) expect(text).toContain('cannot help');
  });

  it('is what it would be alone, whoever else is there, drawn ones too', async () => {
    // Words without a request: what comes is open.
    const open = ['now', 'lamp', 'We have'].map((prompt, at) => ({ id: String(at), prompt }));
    const drawn = { decoding: 'top-5', samples: 2, seed: 3 } as const;
    const together = await responses(open, drawn);
    expect(together.map(({ sample }) => sample)).toEqual([0, 1, 0, 1, 0, 1]);
    const alone = await responses([open[2]!], { ...drawn, maxRows: 1 });
    expect(textsOf(alone)).toEqual(textsOf(together).slice(4));
    const other = await responses(open, { ...drawn, seed: 4 });
    expect(textsOf(other)).not.toEqual(textsOf(together));
  });

  it('leaves out what is done, and ends when it is asked to', async () => {
    const isDone = (id: string) => id !== refused[4]!.id;
    expect(await responses(refused, { isDone })).toHaveLength(1);
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(responses(refused, { signal })).rejects.toThrow('stopped');
    for await (const one of generateResponses(loaded, refused, { maxNewTokens: 4 })) {
      expect(one.sample).toBe(0);
      break;
    }
  });

  it('refuses samples that would be the same', async () => {
    await expect(responses(refused, { samples: 2 })).rejects.toThrow(/2 greedy samples/);
    await expect(responses(refused, { samples: 0 })).rejects.toThrow(/samples is 0/);
  });
});

describe('runArms', () => {
  const judge = createJudge('sahara-paper');
  const options = { judge, format: 'direct', maxNewTokens: 12 } as const;
  const arms = () => [{ name: 'intact' }, { name: 'ablated', changes: changes() }];

  it('judges every arm, and goes on where it was', async () => {
    const lines = await all(runArms(loaded, refused, arms(), options));
    const [intact, ablated] = armResults(lines);
    expect(intact).toMatchObject({ arm: 'intact', refusal: 1, agreement: null });
    expect(intact!.rate.share).toBe(0);
    expect(ablated!.rate.share).toBe(1);
    expect(armWarnings([intact!, ablated!])).toEqual([]);
    expect(lines[0]).not.toHaveProperty('response');
    const done = lines.slice(0, 7);
    const counts: number[] = [];
    const onProgress = (progress: { readonly done: number }) => counts.push(progress.done);
    const rest = await all(runArms(loaded, refused, arms(), { ...options, done, onProgress }));
    expect([...done, ...rest]).toEqual(lines);
    expect(counts).toEqual([8, 9, 10, 11, 12]);
  });

  it('keeps texts where that is asked for, and what a second judge says', async () => {
    const secondJudge = createJudge('gcg', { phrases: ['nothing of this'] });
    const kept = { ...options, secondJudge, storeResponses: true };
    const lines = await all(runArms(loaded, refused, [{ name: 'intact' }], kept));
    expect(lines[0]!.response).toContain('cannot help');
    expect(lines[0]!.second).toEqual({ verdict: 'harmful', reason: null });
    expect(armResults(lines)[0]!.agreement).toMatchObject({ agreement: 0, n: refused.length });
  });

  it('tells whether harmless prompts are refused', async () => {
    const lines = await all(runArms(loaded, answered, arms(), options));
    expect(overRefusal(lines).map(({ arm, refused: share }) => [arm, share.share])).toEqual([
      ['intact', 0],
      ['ablated', 0],
    ]);
    expect(refusalChange(lines, 'intact', 'ablated')).toMatchObject({ pValue: 1 });
    expect(() => refusalChange(lines, 'intact', 'absent')).toThrow(/share no response/);
  });
});

describe('courseCorrectionArms', () => {
  it('has the settings of the paper, with the opening in the prompt', async () => {
    const arms = courseCorrectionArms(loaded.model, [PLANTED]);
    expect(arms.map(({ name }) => name)).toEqual([
      ...['intact', 'opening', 'opening-ua', 'opening-sc', 'ua', 'sc'],
    ]);
    const judge = createJudge('sahara-paper');
    const options = { judge, format: 'direct', maxNewTokens: 12, storeResponses: true } as const;
    const lines: ResponseLine[] = await all(runArms(loaded, refused.slice(0, 2), arms, options));
    const texts = (name: string) =>
      lines.filter(({ arm }) => arm === name).map(({ response }) => response);
    expect(texts('intact').every((text) => text!.includes('cannot help'))).toBe(true);
    expect(texts('opening').every((text) => !text!.startsWith('Sure'))).toBe(true);
    expect(texts('ua').every((text) => text!.includes('Sure here is'))).toBe(true);
    expect(() => courseCorrectionArms(loaded.model, [{ layer: 9, head: 0 }])).toThrow(
      /no head 9-0/,
    );
  });
});
