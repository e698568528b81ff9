import { join } from 'node:path';
import { createRandom } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../load-model.js';
import type { Model } from '../model.js';
import { readSafetensors } from '@lab/tensor/io';
import { trainModel, trainT5 } from './train-model.js';
import type { TrainModelOptions } from './training-events.js';
import type { TrainingExample } from './training-examples.js';

const VOCABULARY = 23;
const config = {
  ...{ model_type: 'llama', vocab_size: VOCABULARY, hidden_size: 16, intermediate_size: 24 },
  ...{ num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 },
};
const t5Config = {
  ...{ model_type: 't5', vocab_size: VOCABULARY, d_model: 16, d_kv: 4, d_ff: 24, num_heads: 4 },
  ...{ num_layers: 2, tie_word_embeddings: false, feed_forward_proj: 'gated-gelu' },
};

/** Rows in which every id follows from the one before. */
const counting: TrainingExample[] = Array.from({ length: 40 }, (_, at) => ({
  ids: Array.from({ length: 5 + (at % 6) }, (__, place) => 2 + ((at + 3 * place) % 20)),
}));
/** Answers that turn prompts round. */
const turned: TrainingExample[] = Array.from({ length: 24 }, (_, at) => {
  const ids = [2 + (at % 20), 2 + ((at * 7) % 20), 1];
  return { ids, answerIds: [ids[1]!, ids[0]!, 1] };
});

const training = { steps: 30, batchSize: 8, learningRate: 0.02 };
const options: TrainModelOptions = { seed: 3, data: { heldOut: 0.1 }, training };
const scratch = { config };

const lossesOf = async (more: TrainModelOptions['training'], own: TrainModelOptions = {}) => {
  const trained = await trainModel(scratch, counting, {
    ...{ ...options, ...own, training: { ...training, steps: 6, ...more } },
  });
  trained.dispose();
  return trained.losses;
};

async function logitsOf(model: Model, ids: number[][]): Promise<Float32Array> {
  const result = await model.forward({ ids });
  const logits = (await result.logits!.data<'float32'>()).slice();
  result.dispose();
  return logits;
}

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, at) => Math.max(most, Math.abs(value - b[at]!)), 0);

beforeAll(async () => {
  await selectBackend('wasm', { threads: 1 });
});

describe('trainModel', () => {
  it('learns from nothing, saves what it learnt, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const steps: number[] = [];
    const onStep = ({ step }: { readonly step: number }) => steps.push(step);
    const trained = await trainModel(scratch, counting, { ...options, onStep });
    expect(steps).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
    const { losses, evaluation, model } = trained;
    expect(losses[0]).toBeCloseTo(Math.log(VOCABULARY), 0);
    expect(losses.at(-1)).toBeLessThan(0.6);
    expect(evaluation).toMatchObject({ examples: 4 });
    expect(evaluation!.loss).toBeLessThan(1);
    expect(evaluation!.perplexity).toBeCloseTo(Math.exp(evaluation!.loss), 10);
    const logits = await logitsOf(model, [[2, 5, 8]]);
    const next = logits.subarray(2 * VOCABULARY);
    expect(next.indexOf(Math.max(...next))).toBe(11);
    const folder = join(temporaryFolder(), 'counting');
    await trained.save(folder);
    const loaded = await loadModel(folder);
    expect(await logitsOf(loaded, [[2, 5, 8]])).toEqual(logits);
    loaded.dispose();
    trained.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('depends on the seed alone', async () => {
    const dropped = { attentionDropout: 0.2, residualDropout: 0.2, embeddingDropout: 0.2 };
    const plain = await lossesOf({});
    expect(await lossesOf({})).toEqual(plain);
    expect(await lossesOf({}, { seed: 4 })).not.toEqual(plain);
    const own = await lossesOf(dropped);
    expect(own).not.toEqual(plain);
    expect(await lossesOf(dropped)).toEqual(own);
    // What is computed again drops the same values.
    expect(farthest(await lossesOf({ ...dropped, recompute: true }), own)).toBeLessThan(1e-5);
  });

  it('adds up gradients of parts of a batch', async () => {
    const whole = await lossesOf({});
    expect(farthest(await lossesOf({ microBatchSize: 3 }), whole)).toBeLessThan(1e-4);
    expect(farthest(await lossesOf({ recompute: true }), whole)).toBeLessThan(1e-5);
    expect(farthest(await lossesOf({ clipNorm: 1e-3 }), whole)).toBeGreaterThan(1e-3);
  });

  it('trains the last blocks alone, and adapters', async () => {
    const first = await trainModel(scratch, counting, { ...options, training: { steps: 1 } });
    const base = join(temporaryFolder(), 'base');
    await first.save(base);
    first.dispose();
    const before = (await readSafetensors(join(base, 'model.safetensors'))).tensors;
    const changedBy = async (tuning: TrainModelOptions['tuning']) => {
      const trained = await trainModel(base, counting, { ...options, tuning });
      const folder = join(temporaryFolder(), 'tuned');
      await trained.save(folder);
      trained.dispose();
      expect(trained.losses.at(-1)).toBeLessThan(0.97 * trained.losses[0]!);
      const { tensors } = await readSafetensors(join(folder, 'model.safetensors'));
      return Object.keys(tensors).filter(
        (name) =>
          farthest(tensors[name]!.data as Float32Array, before[name]!.data as Float32Array) > 0,
      );
    };
    const adapters = { kind: 'low-rank', rank: 4, alpha: 64 } as const;
    const last = await changedBy({ kind: 'last-blocks', lastBlocks: 1 });
    expect(last.every((name) => /^model\.(layers\.1\.|norm\.)/.test(name))).toBe(true);
    expect(last).toHaveLength(10);
    const adapted = await changedBy({ ...adapters, modules: ['query', 'down'] });
    expect(adapted.toSorted()).toEqual([
      'model.layers.0.mlp.down_proj.weight',
      'model.layers.0.self_attn.q_proj.weight',
      'model.layers.1.mlp.down_proj.weight',
      'model.layers.1.self_attn.q_proj.weight',
    ]);
  });

  it('changes the passes of some examples by hooks', async () => {
    const firstLoss = async (examples: TrainingExample[], hooks?: TrainModelOptions['hooks']) => {
      const given = { seed: 3, data: { heldOut: 0 }, training: { steps: 1, batchSize: 40 } };
      const trained = await trainModel(scratch, examples, { ...given, hooks });
      trained.dispose();
      return trained.losses[0]!;
    };
    const [odd, even] = [1, 0].map((rest) => counting.filter((_, at) => (at + 1) % 2 === rest));
    const ofOdd: TrainModelOptions['hooks'] = (numbers) => {
      const isOdd = tf.tensor4d(
        numbers.map((number) => number % 2),
        [numbers.length, 1, 1, 1],
      );
      return [{ names: /hook_z$/, run: (z) => tf.mul(z, isOdd) }];
    };
    const none = () => [{ names: /hook_z$/, run: (z: tf.Tensor) => tf.zerosLike(z) }];
    const [plain, without] = [await firstLoss(odd!), await firstLoss(even!, none)];
    expect(Math.abs(without - (await firstLoss(even!)))).toBeGreaterThan(1e-4);
    const targets = (examples: TrainingExample[]) =>
      examples.reduce((sum, one) => sum + ('ids' in one ? one.ids.length - 1 : 0), 0);
    const [first, second] = [targets(odd!), targets(even!)];
    const wanted = (first * plain + second * without) / (first + second);
    expect(await firstLoss(counting, ofOdd)).toBeCloseTo(wanted, 5);
  });

  it('ends where it is told to, and says what is wrong', async () => {
    const before = tf.memory().numTensors;
    const controller = new AbortController();
    const stopped = trainModel(scratch, counting, {
      ...options,
      signal: controller.signal,
      onStep: ({ step }) => step === 3 && controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'LAB_INTERRUPTED', details: { step: 3 } });
    const unknown = trainModel(scratch, counting, { trainning: {} } as TrainModelOptions);
    await expect(unknown).rejects.toThrow('unknown option "trainning"');
    const deep = { training: { learnigRate: 1 } } as TrainModelOptions;
    await expect(trainModel(scratch, counting, deep)).rejects.toThrow(
      'unknown option "training.learnigRate"',
    );
    await expect(trainModel(scratch, [])).rejects.toThrow('there are no examples');
    await expect(trainModel({ config: t5Config }, counting)).rejects.toThrow('a T5');
    await expect(trainT5(scratch, turned)).rejects.toThrow('a decoder');
    const wild = { ...training, learningRate: 1e30, clipNorm: null };
    const lost = trainModel(scratch, counting, { ...options, training: wild });
    await expect(lost).rejects.toThrow(/of step \d+ is NaN; its batch has the examples \d+/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('trainT5', () => {
  it('learns from nothing, and leaves no tensor behind', async () => {
    const before = tf.memory().numTensors;
    const random = createRandom(1);
    const shuffled = random.shuffle([...turned]);
    const own = { ...options, training: { ...training, steps: 60, residualDropout: 0.05 } };
    const trained = await trainT5({ config: t5Config }, shuffled, own);
    expect(trained.losses.at(-1)).toBeLessThan(0.5 * trained.losses[0]!);
    const result = await trained.model.forward({ ids: [[3, 8, 1]], decoderIds: [[0, 8, 3]] });
    expect(result.logits.shape).toEqual([1, 3, VOCABULARY]);
    result.dispose();
    trained.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
