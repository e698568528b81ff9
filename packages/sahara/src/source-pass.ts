/**
 * What heads give on other prompts, to be put in the place of what they give.
 */
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import type { TokenPrompt } from './head-outputs.js';

/** Sources filled up on the left to one length. */
export interface PaddedSources {
  readonly ids: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[] | undefined;
  readonly length: number;
}

/** A pass of the sources of a batch, layer by layer beside that of its prompts. */
export class SourcePass {
  private residual: tf.Tensor3D | null = null;
  /** Layer that comes next. */
  private at = 0;

  constructor(
    private readonly model: Model,
    private readonly sources: PaddedSources,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** What the heads of a layer give, `[B, T, H, F]`; layers are asked for in their order. */
  async outputs(layer: number): Promise<Float32Array> {
    const { ids, mask } = this.sources;
    const given = { ids, mask, signal: this.signal };
    this.residual ??= (await this.model.forward({ ...given, stopBlock: 0 })).residual;
    const place = `blocks.${layer}.attn.hook_z`;
    for (;;) {
      const before: tf.Tensor3D = this.residual;
      const part = { startBlock: this.at, stopBlock: this.at + 1, residual: before };
      const capture = this.at === layer ? place : undefined;
      const result = await this.model.forward({ ...given, ...part, capture, logits: 'none' });
      before.dispose();
      this.residual = result.residual;
      this.at += 1;
      const found = result.captured.get(place);
      if (found !== undefined) return found.data;
    }
  }

  dispose(): void {
    this.residual?.dispose();
    this.residual = null;
  }
}

/**
 * Outputs of heads with those of sources in their place, `[B, T, H, F]`, aligned at the last
 * tokens; where a source is shorter, the first tokens keep their own. Within a tidy.
 */
export function patchedHeads(
  intact: tf.Tensor4D,
  outputs: Float32Array,
  { prompts, length: sourceLength }: PatchedPrompts,
): tf.Tensor4D {
  const [batch, length, headCount, width] = intact.shape;
  const size = headCount * width;
  const values = new Float32Array(batch * length * size);
  const taken = new Float32Array(batch * length);
  for (const [text, { ids, source = [] }] of prompts.entries()) {
    const shared = Math.min(ids.length, source.length);
    const from = ((text + 1) * sourceLength - shared) * size;
    const first = (text + 1) * length - shared;
    values.set(outputs.subarray(from, from + shared * size), first * size);
    taken.fill(1, first, first + shared);
  }
  const mask = tf.tensor4d(taken, [batch, length, 1, 1]);
  return tf.add(tf.mul(intact, tf.sub(1, mask)), tf.tensor4d(values, intact.shape));
}

interface PatchedPrompts {
  readonly prompts: readonly TokenPrompt[];
  /** Tokens of a row of sources, padding counted. */
  readonly length: number;
}
