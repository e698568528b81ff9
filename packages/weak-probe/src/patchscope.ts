/**
 * What a model itself makes of a state: the state put into another text that asks for it.
 */
import { ConfigError } from '@lab/core';
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { BlockWalk } from './block-walk.js';
import { graftedResidual } from './grafting.js';
import { assertLens, type LensOptions, lensOfRows, type StateLens } from './lens.js';
import { PART_BYTES } from './lens-parts.js';
import { assertOfModel, type StateRows } from './state-rows.js';
import { assertState } from './state-store.js';

/** A text whose last token stands for a state, and asks a model to say it. */
export const identityText = 'cat -> cat; 1135 -> 1135; hello -> hello; ?';

/** How {@link patchscopeStates} reads. */
export interface PatchscopeOptions extends Omit<LensOptions, 'areNormed' | 'norm'> {
  /** Ids of the text; its last token gives its place to the state. See {@link identityText}. */
  readonly target: readonly number[];
  /** Tokens that go through a block together; default 4096. */
  readonly batchTokens?: number | undefined;
}

/**
 * Next tokens of a text whose last token has the state of a prompt behind as many blocks, state by
 * state: the later blocks read it, where the logit lens leaves them out. At the last state both
 * say the same.
 *
 * Source: Ghandeharioun et al., Patchscopes (2024), token identity with the same layer on both
 * sides; by its abstract and the published prompt, not verified.
 *
 * @param rows - residual states before the final norm, of the model.
 * @throws {ConfigError} for a text without tokens, and states that are not there.
 * @throws {ShapeError} for states of another model.
 */
export async function* patchscopeStates(
  model: Model,
  rows: StateRows,
  options: PatchscopeOptions,
): AsyncGenerator<StateLens> {
  const { target, top = 5, tokens = [], partBytes = PART_BYTES, signal, onProgress } = options;
  const all = Array.from({ length: rows.stateCount }, (_, state) => state);
  const states = (options.states ?? all).toSorted((a, b) => a - b);
  assertLens(model, { top, tokens, partBytes });
  assertOfModel(model, rows, 'weak-probe/patchscope');
  for (const state of states) assertState(state, rows.stateCount);
  if (target.length === 0) {
    throw new ConfigError('weak-probe/patchscope: the text has no tokens.', {
      help: `Give one whose last token asks for a word, such as "${identityText}".`,
    });
  }
  const batch = { ids: [Int32Array.from(target)], mask: [new Uint8Array(target.length).fill(1)] };
  const walk = new BlockWalk(model, batch, signal);
  try {
    for (const [done, state] of states.entries()) {
      await walk.to(state);
      const own = await rows.readState(state);
      const place = { residual: walk.place.residual, state };
      const ends = await patchedEnds(model, own, { ...options, place });
      const request = { top, tokens, partBytes, isDouble: false, signal };
      yield { state, top, ...(await lensOfRows(model, ends, request)) };
      onProgress?.(done + 1, states.length);
    }
  } finally {
    walk.dispose();
  }
}

interface Patching extends Pick<PatchscopeOptions, 'batchTokens' | 'signal' | 'target'> {
  readonly place: { readonly residual: tf.Tensor3D; readonly state: number };
}

/** What comes out of the last block in place of the text's last token, `[N, D]`. */
async function patchedEnds(
  model: Model,
  rows: Float32Array,
  { target, batchTokens = 4096, place, signal }: Patching,
): Promise<Float32Array> {
  const { width } = model.architecture;
  const rowCount = rows.length / width;
  const ends = new Float32Array(rows.length);
  const step = Math.max(1, Math.floor(batchTokens / target.length));
  for (let start = 0; start < rowCount; start += step) {
    const count = Math.min(step, rowCount - start);
    const part = rows.subarray(start * width, (start + count) * width);
    const tiled = tf.tile(place.residual, [count, 1, 1]);
    const residual = graftedResidual({ residual: tiled, before: null }, part, {});
    try {
      const ids = Array.from({ length: count }, () => Int32Array.from(target));
      const result = await model.forward({
        ...{ ids, residual, startBlock: place.state, logits: 'none', signal },
        residualPositions: 'last',
      });
      ends.set(await result.residual.data(), start * width);
      result.dispose();
    } finally {
      tf.dispose([tiled, residual]);
    }
  }
  return ends;
}
