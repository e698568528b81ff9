import '@lab/core/testing';
import { selectBackend } from '@lab/tensor';
import { expectNoLeak } from '@lab/tensor/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bothModels } from './__fixtures__/blockwise-pair.js';
import { embedBlocks } from './blockwise-embed.js';
import type { ModelSettings } from './model-settings.js';

beforeAll(async () => {
  await selectBackend('wasm');
});

const small = { size: 6, rank: 2, fusionStart: 'unit' } as const;

const variants: ModelSettings[] = [
  {},
  { encoders: 'structure' },
  { encoders: 'joint' },
  { encoders: 'joint', fusion: 'early-only' },
  { fusion: 'early-only' },
  { fusion: 'sum', modalityWeights: 'uniform', relationSets: 'one', layers: 1 },
  { fusion: 'concatenation', fusionOutput: 'layer-norm', propagation: 'gat', layers: 3 },
  { propagation: 'mean', proxies: 3 },
];

describe('embedBlocks', () => {
  it.each(variants)('gives the rows of the whole model in their order: %j', async (settings) => {
    const thrown = await expectNoLeak(async () => {
      const both = bothModels(60, { ...small, ...settings });
      const { whole, blockwise } = both;
      const embeddings = whole.embed();
      const wanted = embeddings.dataSync();
      embeddings.dispose();
      let next = 0;
      let count = 0;
      for await (const { start, entities, rows } of embedBlocks(blockwise, { budgetBytes: 2e4 })) {
        expect(start).toBe(next);
        expect(entities).toEqual(Int32Array.from(entities, (_, i) => start + i));
        const end = (start + entities.length) * blockwise.width;
        expect(rows).toBeClose(wanted.slice(start * blockwise.width, end), { atol: 1e-5 });
        next = start + entities.length;
        count += 1;
      }
      expect(next).toBe(120);
      expect(count).toBeGreaterThan(2);
      both.dispose();
    });
    expect(thrown).toBeUndefined();
  });

  it('embeds the entities asked for alone, and ends where it is told to', async () => {
    const both = bothModels(60, small);
    const { whole, blockwise } = both;
    const embeddings = whole.embed();
    const all = embeddings.arraySync();
    embeddings.dispose();
    const entities = Int32Array.of(70, 3, 11);
    const rows: number[] = [];
    for await (const block of embedBlocks(blockwise, { entities })) rows.push(...block.rows);
    expect(rows).toBeClose(
      Array.from(entities).flatMap((entity) => all[entity]!),
      { atol: 1e-5 },
    );
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }) => {
      if (done === 2) stop.abort(new Error('enough'));
    };
    const options = { budgetBytes: 2e4, onProgress, signal: stop.signal };
    const thrown = await expectNoLeak(() => embedBlocks(blockwise, options).next());
    expect(String(thrown)).toMatch(/enough/);
    await expect(embedBlocks(blockwise, { entities: new Int32Array(0) }).next()).rejects.toThrow(
      /no entity/,
    );
    both.dispose();
  });
});
