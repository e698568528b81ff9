/**
 * T5: an encoder and a decoder, and their forward pass.
 */
import { softmax, tf } from '@lab/tensor';
import { heads, joined } from '../attention.js';
import { type Captured, Captures } from '../captures.js';
import { type Hook, type HookNames, HookRunner } from '../hooks.js';
import { linear } from '../linear.js';
import { feedForward } from '../mlp.js';
import { hookedNorm } from '../normalised.js';
import { HIDDEN, paddingScores, type TokenBatch } from '../positions.js';
import { type IdRows, tokenBatch } from '../token-batch.js';
import { disposeParts, type PlacedParts } from '../weights/placed-parts.js';
import type { Residency } from '../weights/residency.js';
import { matrixRows } from '../weights/weight-matrix.js';
import { type BucketRules, relativeBucket } from './relative-positions.js';
import type { T5Architecture } from './t5-config.js';
import { assertT5Names } from './t5-hook-names.js';
import type { StoredT5Block, StoredT5Side, T5Attention, T5Block, T5Side } from './t5-weights.js';

/** What a pass of both sides reads. */
export interface T5Input {
  /** Of the encoder, `[B, S]`. */
  readonly ids: IdRows;
  /** 1 for a token, 0 for padding; default all 1. */
  readonly mask?: IdRows | undefined;
  /** Of the decoder, `[B, T]`: begin with `architecture.startId`. */
  readonly decoderIds: IdRows;
  readonly decoderMask?: IdRows | undefined;
  readonly hooks?: readonly Hook[] | undefined;
  readonly capture?: HookNames | undefined;
}

/** What a pass gives; the caller disposes it. */
export interface T5Result {
  /** `[B, T, V]`. */
  readonly logits: tf.Tensor3D;
  /** The encoder's rows after its norm, `[B, S, D]`. */
  readonly encoded: tf.Tensor3D;
  readonly captured: ReadonlyMap<string, Captured>;
  dispose(): void;
}

/** What a block reads beside its weights. */
interface StackContext {
  readonly architecture: T5Architecture;
  readonly hooks: HookRunner;
  readonly side: T5Side;
  readonly block: number;
  /** Added to the scores of the own attention, `[B or 1, H, T, T]`. */
  readonly bias: tf.Tensor;
  /** Rows of the encoder and what hides its padding, `[B, 1, 1, S]`. */
  readonly encoded?: { readonly rows: tf.Tensor3D; readonly mask: tf.Tensor } | undefined;
}

/** Blocks: those of the encoder, then those of the decoder. */
type Parts = PlacedParts<StoredT5Block, Readonly<Record<T5Side, StoredT5Side>>>;

/** A T5, ready to run. */
export class T5Model {
  /** Where its weights stay. */
  readonly residency: Residency;

  /** Use {@link loadT5}. */
  constructor(
    readonly architecture: T5Architecture,
    private readonly parts: Parts,
  ) {
    this.residency = parts.residency;
  }

  /**
   * Logits of the decoder's tokens, and the encoder's rows.
   *
   * {@link t5HookNames} lists the places of hooks.
   *
   * @throws {ConfigError} for the name of a place that is not there.
   * @throws {ShapeError} where rows differ in length.
   * @throws {DataError} for an id that the vocabulary does not have.
   */
  async forward(input: T5Input): Promise<T5Result> {
    const { vocabularySize } = this.architecture;
    const encoder = tokenBatch(input, vocabularySize);
    const own = { ids: input.decoderIds, mask: input.decoderMask };
    const decoder = tokenBatch(own, vocabularySize);
    const named = [...(input.hooks ?? []).map(({ names }) => names), input.capture];
    for (const names of named) {
      if (names !== undefined) assertT5Names(names, this.architecture);
    }
    const captures = new Captures(input.capture);
    const hooks = new HookRunner([...(input.hooks ?? []), ...captures.hooks]);
    let encoded: tf.Tensor3D | null = null;
    try {
      const rows = await this.stack('encoder', encoder, hooks);
      encoded = rows;
      const mask = paddingMask(encoder);
      const decoded = await this.stack('decoder', decoder, hooks, { rows, mask }).finally(() =>
        mask.dispose(),
      );
      const logits = await this.output(decoded, hooks);
      await captures.fetch();
      const { found: captured } = captures;
      return { logits, encoded: rows, captured, dispose: () => tf.dispose([logits, rows]) };
    } catch (error) {
      encoded?.dispose();
      throw error;
    } finally {
      captures.dispose();
    }
  }

  private async stack(
    side: T5Side,
    batch: TokenBatch,
    hooks: HookRunner,
    encoded?: StackContext['encoded'],
  ): Promise<tf.Tensor3D> {
    const { architecture } = this;
    const { encoderLayerCount, decoderLayerCount, width } = architecture;
    const isEncoder = side === 'encoder';
    const [first, count] = isEncoder
      ? [0, encoderLayerCount]
      : [encoderLayerCount, decoderLayerCount];
    const shape: [number, number, number] = [batch.batchSize, batch.length, width];
    const rows = await this.parts.vocabulary.embed(batch.ids);
    const bias = tf.tidy(() => tf.add(this.distances(side, batch.length), ownMask(side, batch)));
    let x = tf.tidy(() => {
      const own = tf.reshape(rows, shape) as tf.Tensor3D;
      return tf.clone(hooks.run(`${side}.hook_embed`, own));
    });
    rows.dispose();
    try {
      for (let block = 0; block < count; block += 1) {
        const before = x;
        const context = { architecture, hooks, side, block, bias, encoded };
        x = await this.parts.blocks.use(first + block, (weights) =>
          runT5Block(before, weights, context),
        );
        before.dispose();
      }
      const { norm } = this.parts.around[side];
      const name = `${side}.final_ln`;
      const rules = architecture.norm;
      return tf.tidy(() => hookedNorm(x, norm, { rules, hooks, name, block: null }));
    } finally {
      tf.dispose([x, bias]);
    }
  }

  /** Bias of every distance, `[1, H, T, T]`. */
  private distances(side: T5Side, length: number): tf.Tensor {
    const { bucketCount, maxDistance, headCount } = this.architecture;
    const rules: BucketRules = { bucketCount, maxDistance, isBidirectional: side === 'encoder' };
    const buckets = Int32Array.from({ length: length * length }, (_, at) =>
      relativeBucket((at % length) - Math.floor(at / length), rules),
    );
    const rows = matrixRows(this.parts.around[side].distances, buckets);
    const table = tf.transpose(tf.reshape(rows, [length, length, headCount]), [2, 0, 1]);
    return tf.expandDims(table, 0);
  }

  /** Logits of rows `[B, T, D]`, which are freed. */
  private async output(rows: tf.Tensor3D, hooks: HookRunner): Promise<tf.Tensor3D> {
    const { outputScale, width, vocabularySize } = this.architecture;
    const [batch, length] = rows.shape;
    const scaled = tf.tidy(() => {
      const flat = tf.reshape(rows, [batch * length, width]) as tf.Tensor2D;
      return outputScale === 1 ? tf.clone(flat) : (tf.mul(flat, outputScale) as tf.Tensor2D);
    });
    rows.dispose();
    const products = await this.parts.vocabulary.unembed(scaled).finally(() => scaled.dispose());
    try {
      return tf.tidy(() =>
        tf.clone(hooks.run('hook_logits', tf.reshape(products, [batch, length, vocabularySize]))),
      );
    } finally {
      products.dispose();
    }
  }

  /** Frees all weights and closes the files. */
  dispose(): void {
    disposeParts(this.parts);
  }
}

function ownMask(side: T5Side, batch: TokenBatch): tf.Tensor {
  const padding = paddingMask(batch);
  if (side === 'encoder') return padding;
  const { length } = batch;
  const causal = Float32Array.from({ length: length * length }, (_, at) =>
    at % length > Math.floor(at / length) ? HIDDEN : 0,
  );
  return tf.add(padding, tf.tensor4d(causal, [1, 1, length, length]));
}

/** Hides padding, `[B, 1, 1, S]`. */
function paddingMask(batch: TokenBatch): tf.Tensor {
  return tf.tensor4d(paddingScores(batch), [batch.batchSize, 1, 1, batch.length]);
}

function runT5Block(x: tf.Tensor3D, weights: T5Block, context: StackContext): tf.Tensor3D {
  return tf.tidy(() => {
    const { architecture, hooks, side, block, bias, encoded } = context;
    const prefix = `${side}.${block}`;
    const run = (what: string, value: tf.Tensor3D) =>
      hooks.run(`${prefix}.hook_${what}`, value, block);
    const normOf = (value: tf.Tensor3D, norm: T5Attention['norm'], name: string) =>
      hookedNorm(value, norm, {
        ...{ rules: architecture.norm, hooks, block, name: `${prefix}.${name}` },
      });
    const before = run('resid_pre', x);
    const first = normOf(before, weights.own.norm, 'ln1');
    const given = { keys: first, bias, name: `${prefix}.attn` };
    const own = run('attn_out', attend(first, weights.own, { ...context, ...given }));
    let middle = run('resid_mid', tf.add(before, own));
    if (weights.cross !== null && encoded !== undefined) {
      const asked = normOf(middle, weights.cross.norm, 'ln2');
      const across = { keys: encoded.rows, bias: encoded.mask, name: `${prefix}.cross_attn` };
      const cross = attend(asked, weights.cross, { ...context, ...across });
      middle = run('resid_mid_cross', tf.add(middle, run('cross_attn_out', cross)));
    }
    const last = normOf(middle, weights.mlpNorm, weights.cross === null ? 'ln2' : 'ln3');
    const name = `${prefix}.mlp`;
    const { activation } = architecture;
    const fed = feedForward(last, weights, { activation, hooks, block, name });
    return run('resid_post', tf.add(middle, run('mlp_out', fed)));
  });
}

/** Attention without a scale, with biases added to the scores. */
function attend(
  x: tf.Tensor3D,
  weights: T5Attention,
  {
    architecture,
    hooks,
    block,
    keys,
    bias,
    name,
  }: StackContext & { readonly keys: tf.Tensor3D; readonly name: string },
): tf.Tensor3D {
  const { headCount } = architecture;
  const headsOf = (rows: tf.Tensor3D, own: T5Attention['key'], what: string) =>
    hooks.runHeads(`${name}.hook_${what}`, heads(linear(rows, own), headCount), block);
  const query = headsOf(x, weights.query, 'q');
  const key = headsOf(keys, weights.key, 'k');
  const value = headsOf(keys, weights.value, 'v');
  const products = tf.matMul(query, tf.transpose(key, [0, 1, 3, 2]) as tf.Tensor4D);
  const scores = hooks.run(`${name}.hook_attn_scores`, tf.add(products, bias), block);
  const pattern = hooks.run(`${name}.hook_pattern`, softmax(scores), block);
  const z = tf.matMul(pattern as tf.Tensor4D, value) as tf.Tensor4D;
  return joined(hooks.runHeads(`${name}.hook_z`, z, block), weights.output, { hooks, block, name });
}
