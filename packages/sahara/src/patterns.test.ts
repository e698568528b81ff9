import { selectBackend } from '@lab/tensor';
import { exampleModel, loadModel, loadTokenizer, type Model } from '@lab/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenPrompt } from './head-outputs.js';
import { headPatterns, patternRequests } from './patterns.js';

const head = { layer: 1, head: 5 };
let model: Model;
let prompts: TokenPrompt[];

beforeAll(async () => {
  await selectBackend('wasm');
  const folder = exampleModel('planted-grouped');
  model = await loadModel(folder);
  const ids = loadTokenizer(folder).encode('I have a lamp now, please polish it.');
  prompts = [{ id: '1', ids }];
});
afterAll(() => model.dispose());

const sums = (pattern: readonly (readonly number[])[]) =>
  pattern.map((row) => row.reduce((a, b) => a + b, 0));

describe('headPatterns', () => {
  it('gives rows that add up to 1, and the same weight everywhere once uniform', async () => {
    const [intact, uniform] = await headPatterns(
      model,
      head,
      prompts,
      patternRequests('before-after'),
    );
    for (const sum of sums(intact!.pattern)) expect(sum).toBeCloseTo(1, 5);
    const last = uniform!.pattern.at(-1)!;
    expect(last).toHaveLength(prompts[0]!.ids.length);
    for (const weight of last) expect(weight).toBeCloseTo(1 / last.length, 6);
    expect(Math.max(...intact!.pattern.at(-1)!)).toBeGreaterThan(2 / last.length);
  });

  it('flattens as queries or keys are scaled, and not as values are (figure 7)', async () => {
    const found = await headPatterns(model, head, prompts, patternRequests('scaled'));
    expect(found.map(({ name }) => name)).toEqual([
      ...['q, eps 0.5', 'q, eps 0.001', 'q, eps 1e-10', 'k, eps 0.5', 'k, eps 0.001'],
      ...['k, eps 1e-10', 'v, eps 0.5', 'v, eps 0.001', 'v, eps 1e-10'],
    ]);
    const sharpest = found.map(({ pattern }) => Math.max(...pattern.at(-1)!));
    const even = 1 / prompts[0]!.ids.length;
    expect(sharpest[2]).toBeCloseTo(even, 5);
    expect(sharpest[5]).toBeCloseTo(even, 5);
    expect(sharpest[0]!).toBeGreaterThan(sharpest[1]!);
    expect(sharpest[8]!).toBeCloseTo(sharpest[6]!, 6);
    expect(sharpest[8]!).toBeGreaterThan(2 * even);
  });

  it('has a row for each prompt and mean (figure 8)', async () => {
    const three = [0, 1, 2].map((at) => ({ ...prompts[0]!, id: String(at) }));
    const found = await headPatterns(model, head, three, patternRequests('mean'));
    expect(found).toHaveLength(9);
    expect(found.slice(0, 4).map(({ prompt }) => prompt)).toEqual(['0', '0', '0', '1']);
  });

  it('refuses a head that is not there', async () => {
    const beyond = { layer: 7, head: 0 };
    const run = headPatterns(model, beyond, prompts, patternRequests('before-after'));
    await expect(run).rejects.toThrow(/no head 7-0/);
  });
});
