/**
 * Quick checks of a model on the backend in use, without any reference.
 */
import { tf } from '@lab/tensor';
import type { Captured } from './captures.js';
import type { Model } from './model.js';
import {
  check,
  difference,
  type ModelCheck,
  summed,
  unevenness,
  valueChecks,
} from './model-check.js';

/** What is checked. */
export interface ValidateOptions {
  /** `quick`: one pass over two tokens through the first block; default `full`. */
  readonly checks?: 'full' | 'quick' | undefined;
}

const LENGTHS = { full: 8, quick: 2 } as const;
/** What is looked at. */
const INSIDE = /hook_(pattern|resid_\w+|(attn|mlp)_out)$/;

/**
 * Whether what is inside fits together: values are finite and differ, every pattern sums to one,
 * and the residual grows by what blocks add; `full` also, that hooks change nothing by looking, the
 * lens at the last block gives the logits, padding on the left moves nothing, and a pass in two
 * parts gives the logits of one.
 */
export async function validateModel(
  model: Model,
  { checks = 'full' }: ValidateOptions = {},
): Promise<ModelCheck[]> {
  const { vocabularySize } = model.architecture;
  const row = Array.from({ length: LENGTHS[checks] }, (_, at) => (7 * at + 3) % vocabularySize);
  return checks === 'quick' ? quickChecks(model, [row]) : fullChecks(model, [row]);
}

/** One pass over two tokens through one block: loading is not to wait for more. */
async function quickChecks(model: Model, ids: number[][]): Promise<ModelCheck[]> {
  const { residual, captured } = await model.forward({ ids, stopBlock: 1, capture: INSIDE });
  residual.dispose();
  const { data } = captured.get('blocks.0.hook_resid_post')!;
  return [...valueChecks('states', data, captured), ...insideChecks(model, captured, 1)];
}

async function fullChecks(model: Model, ids: number[][]): Promise<ModelCheck[]> {
  const whole = await model.forward({ ids, capture: INSIDE });
  const logits = ((await whole.logits!.data()) as Float32Array).slice();
  whole.dispose();
  return [
    ...valueChecks('logits', logits, whole.captured),
    ...insideChecks(model, whole.captured, model.architecture.layerCount),
    check('hooks only look', difference(await plainLogits(model, { ids }), logits)),
    check('the lens ends in the logits', difference(await lensLogits(model, ids, whole), logits)),
    check('padding moves nothing', difference(await padded(model, ids[0]!), logits)),
    check('two parts are the whole', difference(await inParts(model, ids), logits)),
  ];
}

type Values = ReadonlyMap<string, Captured>;

/** What the values of the first blocks show. */
function insideChecks(model: Model, captured: Values, count: number): ModelCheck[] {
  const { isParallel } = model.architecture;
  const at = (block: number, name: string) => captured.get(`blocks.${block}.${name}`)!;
  const worst = (of: (block: number) => number) =>
    Math.max(...Array.from({ length: count }, (_, block) => of(block)));
  const grows = (name: string, parts: readonly string[]) => (block: number) =>
    difference(at(block, name).data, summed(parts.map((part) => at(block, part))));
  const before = ['hook_resid_pre', 'hook_attn_out'];
  return [
    check(
      'patterns sum to one',
      worst((block) => unevenness(at(block, 'attn.hook_pattern'))),
    ),
    check('blocks add what they say', worst(grows('hook_resid_post', [...before, 'hook_mlp_out']))),
    ...(isParallel
      ? []
      : [check('the middle is before and attention', worst(grows('hook_resid_mid', before)))]),
  ];
}

/** Logits of a pass without hooks. */
async function plainLogits(
  model: Model,
  input: Parameters<Model['forward']>[0],
): Promise<Float32Array> {
  const result = await model.forward(input);
  const logits = ((await result.logits!.data()) as Float32Array).slice();
  result.dispose();
  return logits;
}

/** Final norm and output on what was seen behind the last block. */
async function lensLogits(
  model: Model,
  ids: number[][],
  { captured }: { readonly captured: Values },
): Promise<Float32Array> {
  const { layerCount } = model.architecture;
  const { shape, data } = captured.get(`blocks.${layerCount - 1}.hook_resid_post`)!;
  const residual = tf.tensor3d(data, shape as [number, number, number]);
  try {
    return await plainLogits(model, { ids, residual, startBlock: layerCount });
  } finally {
    residual.dispose();
  }
}

/** Logits of a text with padding on the left. */
async function padded(model: Model, ids: readonly number[]): Promise<Float32Array> {
  // Some scalings depend on the longest text of a batch: the second one is as long.
  const filled = [
    [0, 0, ...ids],
    [...ids, 0, 0],
  ];
  const mask = [
    [0, 0, ...ids.map(() => 1)],
    [...ids.map(() => 1), 0, 0],
  ];
  const result = await model.forward({ ids: filled, mask });
  const logits = (await result.logits!.data()) as Float32Array;
  result.dispose();
  const { vocabularySize } = model.architecture;
  return logits.slice(2 * vocabularySize, (ids.length + 2) * vocabularySize);
}

/** Logits of a pass that stops in the middle and goes on. */
async function inParts(model: Model, ids: number[][]): Promise<Float32Array> {
  const middle = Math.floor(model.architecture.layerCount / 2);
  const first = await model.forward({ ids, stopBlock: middle, logits: 'none' });
  const { residual } = first;
  return plainLogits(model, { ids, startBlock: middle, residual }).finally(() => first.dispose());
}
