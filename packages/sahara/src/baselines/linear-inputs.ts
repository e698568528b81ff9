/**
 * What the matrices of a model read: which place of a pass, and how large its features are.
 */
import { tf } from '@lab/tensor';
import {
  type Checkpoint,
  type FamilyModel,
  type Hook,
  type Model,
  placedWeights,
} from '@lab/transformer';
import { openWeights } from '../open-weights.js';
import type { ScoredRow } from '../utility/token-logprobs.js';

/** A matrix of a block and the place of its inputs. */
export interface LinearWeight {
  /** In the files. */
  readonly fileName: string;
  /** As the family calls it. */
  readonly name: string;
  readonly part: 'attention' | 'mlp';
  readonly layer: number;
  /** Hook at which its inputs are seen. */
  readonly input: string;
  /** Whether it is stored `[in, out]`. */
  readonly isInputMajor: boolean;
}

/** All matrices of the blocks of a checkpoint, in the order of the model. */
export function linearWeights(
  model: FamilyModel,
  checkpoint: Pick<Checkpoint, 'folder' | 'weights'>,
): LinearWeight[] {
  const { names, isInputMajor } = model.weights;
  const mlpInput = model.architecture.sharesNorm ? 'ln1' : 'ln2';
  return placedWeights(model, checkpoint).flatMap(({ name, fileName, layer, part }) => {
    const isMatrix = checkpoint.weights.get(fileName)!.shape.length === 2;
    if (layer === null || !isMatrix || (part !== 'attention' && part !== 'mlp')) return [];
    const isEnd = (module: string) => name.endsWith(`.${module}.weight`);
    const inner = part === 'attention' ? 'attn.hook_z' : 'mlp.hook_post';
    const outer = part === 'attention' ? 'ln1.hook_normalized' : `${mlpInput}.hook_normalized`;
    const isSecond = isEnd(names.output) || isEnd(names.down);
    const input = `blocks.${layer}.${isSecond ? inner : outer}`;
    return [{ fileName, name, part, layer, input, isInputMajor }];
  });
}

/** The same of a folder, by their names in its files. */
export function linearWeightsByFile(path: string): ReadonlyMap<string, LinearWeight> {
  const { family, checkpoint } = openWeights(path);
  try {
    const all = linearWeights(family, checkpoint);
    return new Map(all.map((weight) => [weight.fileName, weight]));
  } finally {
    checkpoint.close();
  }
}

/** Tokens whose inputs count. */
export interface CalibrationRow extends Pick<ScoredRow, 'ids'> {
  /** First token that counts; default all do. */
  readonly from?: number | undefined;
}

/**
 * Length of each feature over all counted tokens, `sqrt(sum_t x_tj^2)`, at each place.
 *
 * @param places - own names of hooks.
 */
export async function featureNorms(
  model: Model,
  rows: readonly CalibrationRow[],
  {
    places,
    signal,
  }: { readonly places: ReadonlySet<string>; readonly signal?: AbortSignal | undefined },
): Promise<Map<string, Float64Array>> {
  const sums = new Map<string, Float64Array>();
  for (const { ids, from = 0 } of rows) {
    const squares = new Map<string, tf.Tensor>();
    const hook: Hook = {
      names: (name) => places.has(name),
      run: (value, { name }) => {
        const [, length, ...rest] = value.shape as [number, number, ...number[]];
        const width = tf.util.sizeFromShape(rest);
        const counted = tf.slice(
          tf.reshape(value, [length, width]),
          [from, 0],
          [length - from, width],
        );
        squares.set(name, tf.keep(tf.sum(tf.square(counted), 0)));
      },
    };
    const result = await model.forward({ ids: [ids], hooks: [hook], logits: 'none', signal });
    result.dispose();
    for (const [name, tensor] of squares) {
      const own = (await tensor.data()) as Float32Array;
      tensor.dispose();
      const sum = sums.get(name) ?? new Float64Array(own.length);
      sums.set(name, sum);
      own.forEach((value, at) => {
        sum[at]! += value;
      });
    }
  }
  return new Map([...sums].map(([name, sum]) => [name, sum.map(Math.sqrt)]));
}
