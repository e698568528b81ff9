/**
 * A pass over new tokens of several texts, all in a row: products read the weights once for all,
 * and every text attends to its own keys.
 */
import { setImmediate } from 'node:timers/promises';
import { tf } from '@lab/tensor';
import { runBlock } from '../block.js';
import { capturedOf } from '../captures.js';
import type { HookRunner } from '../hooks.js';
import { type DecoderParts, embedTokens, outputLogits } from '../pass-ends.js';
import type { RowCache } from './row-cache.js';
import { SegmentHooks } from './row-hooks.js';
import { SegmentAttention } from './segment-attention.js';
import { SegmentPositions } from './segment-positions.js';

/** New tokens of one text. */
export interface Segment {
  readonly ids: Int32Array;
  /** Position of the first. */
  readonly start: number;
  /** Tokens of the text so far, those of later parts included. */
  readonly length: number;
  readonly cache: RowCache;
  readonly hooks: HookRunner;
  /** Whether the last token gets logits. */
  readonly isWanted: boolean;
}

/**
 * Logits `[V]` of the last token of each segment that wants them, in order. Caches then hold the
 * tokens of the segments, too.
 *
 * @param isAbandoned - asked between two blocks; where nobody waits any more the pass ends.
 * @throws what hooks throw as a `HookFailure`; caches hold a part of the pass after any error.
 */
export async function runSegments(
  model: DecoderParts,
  segments: readonly Segment[],
  isAbandoned: () => boolean,
): Promise<Float32Array[]> {
  const { architecture, parts } = model;
  const hooks = new SegmentHooks(segments);
  const positions = new SegmentPositions(segments);
  const attention = new SegmentAttention(segments);
  const { mix } = attention;
  let residual = await embedTokens(model, positions.tokens, hooks);
  try {
    for (const [block, rules] of architecture.blocks.entries()) {
      await setImmediate();
      if (isAbandoned()) return [];
      const before = residual;
      const context = { architecture, block, rules, positions, hooks, mix };
      residual = await parts.blocks.use(block, (weights) => runBlock(before, weights, context));
      before.dispose();
    }
    const logits = await lastLogits(model, residual, { segments, hooks });
    for (const { cache, start, ids } of segments) cache.length = start + ids.length;
    return logits;
  } finally {
    tf.dispose(residual);
    positions.dispose();
    attention.dispose();
  }
}

async function lastLogits(
  model: DecoderParts,
  residual: tf.Tensor3D,
  { segments, hooks }: { readonly segments: readonly Segment[]; readonly hooks: HookRunner },
): Promise<Float32Array[]> {
  let end = 0;
  const lasts = segments.map(({ ids }) => (end += ids.length) - 1);
  const rows = Int32Array.from(lasts.filter((_, at) => segments[at]!.isWanted));
  const areWanted = rows.length > 0;
  const made = await outputLogits(model, residual, { rows, areWanted }, hooks);
  if (made === null) return [];
  const size = model.architecture.vocabularySize;
  const logits = tf.tidy(() => {
    const shape: [number, number, number] = [1, rows.length, size];
    return tf.clone(hooks.run('hook_logits', tf.reshape(made, shape)));
  });
  try {
    const { data } = await capturedOf(logits);
    return Array.from(rows, (_, row) => data.subarray(row * size, (row + 1) * size));
  } finally {
    tf.dispose([made, logits]);
  }
}
