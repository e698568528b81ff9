/** What a family's table says beside the fields of config.json: each entry moves the logits. */
import { join } from 'node:path';
import { selectBackend, tf } from '@lab/tensor';
import { readSafetensors } from '@lab/tensor/io';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Architecture } from '../../src/architecture.js';
import { loadModel } from '../../src/index.js';
import { Model } from '../../src/model.js';
import type { BlockWeights } from '../../src/weights/block-weights.js';
import { farthest, idRows } from './golden-files.js';

const folder = join(import.meta.dirname, 'checkpoints');
/** Less than any switch that is on should move. */
const LEAST = 1e-2;

type Rules = Partial<Architecture>;
type Changed = (rules: Architecture) => Rules;

const ofBlocks =
  (change: Partial<Architecture['blocks'][number]>): Changed =>
  ({ blocks }) => ({ blocks: blocks.map((rules) => ({ ...rules, ...change })) });
const rotary =
  (change: (rules: NonNullable<Architecture['blocks'][number]['rotary']>) => object): Changed =>
  ({ blocks }) => ({
    blocks: blocks.map((rules) => ({
      ...rules,
      rotary: rules.rotary && { ...rules.rotary, ...change(rules.rotary) },
    })),
  });

const epsilon: Changed = ({ norm }) => ({ norm: { ...norm, epsilon: 0.1 } });
const activation: Changed = () => ({ activation: 'relu' });
const scale = ofBlocks({ scoreScale: 1 });
const turned = rotary(({ base }) => ({ base: 3 * base }));
const unscaled = rotary(() => ({ scaling: { kind: 'default' } }));
const unwindowed = ofBlocks({ window: null });
const sequential: Changed = ({ isParallel }) => ({ isParallel: !isParallel });
const centred: Changed = ({ norm }) => ({ norm: { ...norm, kind: 'rms' } });
const noEmbeddingScale: Changed = () => ({ embeddingScale: 1 });
const noScoreCap: Changed = () => ({ scoreCap: null });
const noLogitCap: Changed = () => ({ logitCap: null });

/**
 * By checkpoint: what its table has on, and the table with it off. In a block of one norm, as
 * Falcon 7B has it, halves one after the other are the same sum.
 */
const tables: Readonly<Record<string, Readonly<Record<string, Changed>>>> = {
  gpt2: { epsilon, activation, scale, centred },
  llama: { epsilon, activation, scale, turned },
  'llama-yarn': { unscaled },
  mistral: { unwindowed, turned },
  qwen2: { unwindowed, turned },
  qwen3: { turned, scale },
  gemma: { noEmbeddingScale, activation, turned },
  gemma2: { noEmbeddingScale, noScoreCap, noLogitCap, unwindowed, scale },
  gemma3: { noEmbeddingScale, unwindowed, unscaled, scale },
  falcon: { centred, turned },
  'falcon-new': { sequential, centred },
  'falcon-alibi': { sequential, noBiases: () => ({ positions: { kind: 'rotary' } }) },
  phi3: { turned, scale, wholeHead: rotary(() => ({ width: 6 })) },
  'gpt-neox': { sequential, centred, turned },
  'gpt-neox-sequential': { sequential },
};

const plainGain = <N extends BlockWeights['norm1'] | null>(norm: N): N =>
  norm && { ...norm, gain: tf.sub(norm.gain, 1) };

/** Weights of a block without some of its norms. */
const weightChanges: Readonly<Record<string, (weights: BlockWeights) => BlockWeights>> = {
  'norms of queries and keys': (own) => ({ ...own, queryNorm: null, keyNorm: null }),
  'norms behind': (own) => ({ ...own, postNorm1: null, postNorm2: null }),
  'one beside gains': (own) => ({
    ...{ ...own, norm1: plainGain(own.norm1), norm2: plainGain(own.norm2) },
    ...{ postNorm1: plainGain(own.postNorm1), postNorm2: plainGain(own.postNorm2) },
  }),
};
const withWeights: readonly (readonly [name: string, what: string])[] = [
  ['qwen3', 'norms of queries and keys'],
  ['gemma3', 'norms of queries and keys'],
  ['gemma2', 'norms behind'],
  ['gemma3', 'norms behind'],
  ['gemma', 'one beside gains'],
  ['gemma2', 'one beside gains'],
  ['gemma3', 'one beside gains'],
];

beforeAll(async () => {
  await selectBackend('wasm');
});

describe.each([...new Set([...Object.keys(tables), ...withWeights.map(([name]) => name)])])(
  '%s',
  (name) => {
    let model: Model;
    let given: { readonly ids: number[][]; readonly mask: number[][] };
    let wanted: Float32Array;
    beforeAll(async () => {
      model = await loadModel(join(folder, name));
      const { tensors } = await readSafetensors(join(folder, name, 'golden.safetensors'));
      given = { ids: idRows(tensors['ids']!), mask: idRows(tensors['mask']!) };
      wanted = tensors['logits']!.data as Float32Array;
    });
    afterAll(() => model.dispose());

    const movedBy = async (other: Model): Promise<number> => {
      const result = await other.forward(given);
      const logits = (await result.logits!.data()) as Float32Array;
      const moved = farthest(logits, wanted, given.mask);
      result.dispose();
      return moved;
    };

    it('is itself with its own table', async () => {
      expect(await movedBy(new Model({ ...model.architecture }, model.parts))).toBeLessThan(1e-4);
    });

    it.each(Object.entries(tables[name] ?? {}))('moves with %s', async (_, change) => {
      const { architecture: rules, parts } = model;
      const moved = await movedBy(new Model({ ...rules, ...change(rules) }, parts));
      expect(moved).toBeGreaterThan(LEAST);
    });

    const own = withWeights.filter(([of]) => of === name).map(([, what]) => what);
    it.each(own)('moves without %s', async (what) => {
      const { architecture, parts } = model;
      const use = <T>(index: number, work: (weights: BlockWeights) => T): Promise<T> =>
        parts.blocks.use(index, (weights) => {
          const changed = () => work(weightChanges[what]!(weights)) as tf.TensorContainer;
          return tf.tidy(changed) as T;
        });
      const blocks: typeof parts.blocks = Object.assign(Object.create(parts.blocks), { use });
      expect(await movedBy(new Model(architecture, { ...parts, blocks }))).toBeGreaterThan(LEAST);
    });
  },
);
