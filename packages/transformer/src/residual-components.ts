/**
 * What the residual is the sum of: what every part of a model writes into it, at the last token of
 * each text.
 */
import { tf } from '@lab/tensor';
import type { Captured } from './captures.js';
import type { Intervention } from './interventions.js';
import type { ForwardInput, Model } from './model.js';
import type { TokenInput } from './token-batch.js';

/** One part that writes into the residual. */
export interface ResidualComponent {
  /**
   * `hook_embed`, `hook_pos_embed`, `blocks.0.attn.head.0`, `blocks.0.attn.bias` of the output of
   * attention, `blocks.0.hook_mlp_out`, and `blocks.0.change`: what interventions in that block
   * add to what its parts write.
   */
  readonly name: string;
  readonly layer: number | null;
  readonly head: number | null;
}

/** Texts and changes that components are taken from. */
export interface ComponentInput extends TokenInput {
  readonly interventions?: readonly Intervention[] | undefined;
}

/** Rows of all components. */
export interface ResidualComponents {
  /** In the order of a pass, C of them. */
  readonly components: readonly ResidualComponent[];
  /** `[C, B, D]`; the sum over C is the residual behind the last block. */
  readonly shape: readonly [number, number, number];
  readonly data: Float32Array;
  /** Scale of the final norm in the same pass, `[B]`. */
  readonly scale: Float32Array;
}

/**
 * The residual at the last token of each text, taken apart: embedding, positions, each head, biases
 * of attention, each MLP.
 *
 * `r_L = e + p + sum_l (sum_h n(z_lh W_lh) + n(b_l) + n(mlp_l))`. Where a norm follows attention or
 * MLP (Gemma 2 and 3), `n(x) = gain x / s` with the scale `s` of this very pass: the sum holds, and
 * a head's row is its share. Elsewhere n is nothing.
 * Source: Elhage et al., A Mathematical Framework for Transformer Circuits.
 *
 * @throws as {@link Model.forward}.
 */
export async function residualComponents(
  model: Model,
  input: ComponentInput,
): Promise<ResidualComponents> {
  const components: ResidualComponent[] = [];
  const all: Float64Array[] = [];
  const scale = await eachComponent(model, input, (component, rows) => {
    components.push(component);
    all.push(rows);
  });
  const size = input.ids.length * model.architecture.width;
  const data = new Float32Array(all.length * size);
  for (const [at, rows] of all.entries()) data.set(rows, at * size);
  const shape = [all.length, input.ids.length, model.architecture.width] as const;
  return { components, shape, data, scale };
}

/** Is given each component with its rows, `[B, D]`. */
export type VisitComponent = (component: ResidualComponent, rows: Float64Array) => void;

/**
 * Calls `visit` with one component after the other, in the order of a pass: one block's are in
 * memory, and values of last tokens alone.
 *
 * @returns scale of the final norm, `[B]`.
 */
export async function eachComponent(
  model: Model,
  { ids, mask, interventions = [] }: ComponentInput,
  visit: VisitComponent,
): Promise<Float32Array> {
  const { layerCount } = model.architecture;
  const shared: ForwardInput = {
    ...{ ids, mask, interventions },
    ...{ logits: 'none', capturePositions: 'last' },
  };
  const start = await model.forward({ ...shared, stopBlock: 0, capture: /^hook_(pos_)?embed$/ });
  let residual: tf.Tensor3D = start.residual;
  try {
    let sum: Float64Array | null = null;
    for (const [name, { data }] of start.captured) {
      const rows = Float64Array.from(data);
      visit({ name, layer: null, head: null }, rows);
      sum = sum === null ? rows.slice() : added(sum, rows);
    }
    let scale: Captured | undefined;
    for (let block = 0; block < layerCount; block += 1) {
      const result = await model.forward({
        ...{ ...shared, residual, startBlock: block, stopBlock: block + 1, capture: WRITTEN },
      });
      residual.dispose();
      residual = result.residual;
      const { captured } = result;
      for (const [component, rows] of await blockComponents(model, block, captured)) {
        visit(component, rows);
        added(sum!, rows);
      }
      const after = captured.get(`blocks.${block}.hook_resid_post`)!.data;
      if (interventions.length > 0) {
        const rows = Float64Array.from(after, (value, at) => value - sum![at]!);
        visit({ name: `blocks.${block}.change`, layer: block, head: null }, rows);
      }
      sum = Float64Array.from(after);
      scale = captured.get('ln_final.hook_scale');
    }
    return scale!.data;
  } finally {
    residual.dispose();
  }
}

/** Places that components are read from. */
const WRITTEN =
  /\.attn\.hook_result$|_post\.hook_scale$|\.hook_(mlp_out|resid_post)$|^ln_final\.hook_scale$/;

/** Adds rows to others, in place. */
function added(sum: Float64Array, rows: Float64Array): Float64Array {
  for (const [at, value] of rows.entries()) sum[at] = sum[at]! + value;
  return sum;
}

/** What a block writes: its heads, the bias of attention, its MLP. */
async function blockComponents(
  { architecture: { headCount, width }, parts }: Model,
  block: number,
  captured: ReadonlyMap<string, Captured>,
): Promise<[ResidualComponent, Float64Array][]> {
  const name = (what: string) => `blocks.${block}.${what}`;
  // Copies: the block may leave the backend before they are read.
  const rows = await parts.blocks.use(block, ({ output, postNorm1 }) => ({
    bias: output.bias === null ? null : tf.clone(output.bias),
    gain: postNorm1 === null ? null : tf.clone(postNorm1.gain),
  }));
  const bias = (await rows.bias?.data()) as Float32Array | undefined;
  const gain = (await rows.gain?.data()) as Float32Array | undefined;
  tf.dispose(rows as tf.TensorContainer);
  const scale = captured.get(name('ln1_post.hook_scale'))?.data;
  const { data } = captured.get(name('attn.hook_result'))!;
  const batchSize = data.length / (headCount * width);
  const written = (of: (text: number, feature: number) => number): Float64Array =>
    Float64Array.from({ length: batchSize * width }, (_, at) => {
      const [text, feature] = [Math.floor(at / width), at % width];
      const value = of(text, feature);
      return gain === undefined ? value : (value * gain[feature]!) / scale![text]!;
    });
  const heads = Array.from({ length: headCount }, (_, head): [ResidualComponent, Float64Array] => [
    { name: name(`attn.head.${head}`), layer: block, head },
    written((text, feature) => data[(text * headCount + head) * width + feature]!),
  ]);
  const own = { layer: block, head: null };
  const mlp = Float64Array.from(captured.get(name('hook_mlp_out'))!.data);
  return [
    ...heads,
    ...(bias === undefined
      ? []
      : [[{ name: name('attn.bias'), ...own }, written((_, feature) => bias[feature]!)] as const]),
    [{ name: name('hook_mlp_out'), ...own }, mlp],
  ] as [ResidualComponent, Float64Array][];
}
