/**
 * Weights of a model that begins from nothing, drawn as `transformers` draws them.
 */
import type { Random } from '@lab/core';
import { tf } from '@lab/tensor';
import type { FamilyModel } from '../families/family.js';
import type { T5Architecture } from '../t5/t5-config.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { type MemoryWeight, memoryCheckpoint } from './memory-checkpoint.js';

/** Shapes by name. */
type Shapes = ReadonlyMap<string, readonly number[]>;

/** Mean and deviation of the numbers of a weight. */
interface Draw {
  readonly mean: number;
  readonly deviation: number;
}

const constant = (mean: number): Draw => ({ mean, deviation: 0 });
const normal = (deviation: number): Draw => ({ mean: 0, deviation });

/**
 * Weights of a decoder: matrices normal with `initializer_range` of the config (.02 without), gains
 * that leave rows as they are, biases 0. In GPT-2 what goes into the residual is divided by
 * `sqrt(2 L)`.
 *
 * Source: transformers/modeling_utils.py, `_init_weights`; models/gpt2/modeling_gpt2.py.
 *
 * @param config - content of config.json.
 * @param random - each weight has a stream of its own, by its name.
 */
export function initialDecoder(
  { architecture }: FamilyModel,
  shapes: Shapes,
  {
    config,
    random,
  }: { readonly config: Readonly<Record<string, unknown>>; readonly random: Random },
): Checkpoint {
  const given = config['initializer_range'];
  const range = typeof given === 'number' ? given : 0.02;
  const isGpt2 = architecture.modelType === 'gpt2';
  const residual = range / Math.sqrt(2 * architecture.layerCount);
  const drawOf = (name: string, { length }: readonly number[]): Draw => {
    if (length === 2) return normal(isGpt2 && name.endsWith('.c_proj.weight') ? residual : range);
    return constant(name.endsWith('.weight') ? 1 - architecture.norm.gainOffset : 0);
  };
  return drawn(shapes, drawOf, random);
}

/**
 * Weights of a T5, each with the deviation that its place has, times `initializer_factor`.
 *
 * Source: transformers/models/t5/modeling_t5.py, `_init_weights`.
 */
export function initialT5(
  { width, headCount, headWidth, mlpWidth }: T5Architecture,
  shapes: Shapes,
  {
    config,
    random,
  }: { readonly config: Readonly<Record<string, unknown>>; readonly random: Random },
): Checkpoint {
  const given = config['initializer_factor'];
  const factor = typeof given === 'number' ? given : 1;
  const deviations: readonly (readonly [RegExp, number])[] = [
    [/^(shared|lm_head)\.weight$/, 1],
    [/\.q\.weight$/, (width * headWidth) ** -0.5],
    [/\.o\.weight$/, (headCount * headWidth) ** -0.5],
    [/\.wo\.weight$/, mlpWidth ** -0.5],
    [/./, width ** -0.5],
  ];
  const drawOf = (name: string, { length }: readonly number[]): Draw =>
    length === 1
      ? constant(factor)
      : normal(factor * deviations.find(([pattern]) => pattern.test(name))![1]);
  return drawn(shapes, drawOf, random);
}

function drawn(
  shapes: Shapes,
  drawOf: (name: string, shape: readonly number[]) => Draw,
  random: Random,
): Checkpoint {
  const weights = new Map<string, MemoryWeight>();
  for (const [name, shape] of shapes) {
    const { mean, deviation } = drawOf(name, shape);
    const numbers = () => {
      const values = new Float32Array(tf.util.sizeFromShape([...shape]));
      if (deviation === 0) return values.fill(mean);
      return random.fork(name).fillNormal(values, mean, deviation);
    };
    weights.set(name, { shape, numbers });
  }
  return memoryCheckpoint('the new model', weights);
}
