/**
 * States of prompts behind a graft: what the lens shows of the layers that come after it.
 */
import { tf } from '@lab/tensor';
import type { Model } from '@lab/transformer';
import { BlockWalk } from './block-walk.js';
import { assertGraft, assertPositions, graftedResidual, type GraftSettings } from './grafting.js';
import { assertParties, type GraftParties, type GraftSource, vectorsAt } from './graft-vectors.js';
import { type EncodedPrompt, type PromptBatch, promptBatches } from './hidden-states.js';
import { statePlaces } from './state-places.js';
import { type CallOptions, rowOf, type StateRows, stateRows } from './state-rows.js';

/** What is grafted into whom. */
export interface GraftedStatesInput extends CallOptions, GraftParties, GraftSettings {
  readonly recipients: readonly EncodedPrompt[];
  /** Default `mean`. */
  readonly source?: GraftSource | undefined;
  /** Tokens that go through a block together; default 4096. */
  readonly batchTokens?: number | undefined;
}

/**
 * States of the last token of each recipient in a pass with a graft: those before it as they are,
 * the graft itself, and those behind it as they become. For `lensStates` and `tokenTable`.
 *
 * @throws as `graftInterventions` and `graftVectors`.
 */
export async function graftedStates(model: Model, input: GraftedStatesInput): Promise<StateRows> {
  const { recipients, recipientStates, state, batchTokens = 4096 } = input;
  const { architecture } = model;
  const { width, layerCount } = architecture;
  assertParties(model, input, recipients.length);
  assertGraft(architecture, input);
  assertPositions(recipients, input.positions);
  const states: Float32Array[] = [];
  for (let before = 0; before < state; before += 1) {
    states.push(await recipientStates.readState(before));
  }
  while (states.length <= layerCount) states.push(new Float32Array(recipients.length * width));
  let done = 0;
  for (const batch of promptBatches(model, recipients, batchTokens)) {
    input.signal?.throwIfAborted();
    const found = await statesOfBatch(model, batch, input);
    for (const [behind, rows] of found.entries()) {
      for (const [at, member] of batch.members.entries()) {
        states[state + behind]!.set(rowOf(rows, at, width), member * width);
      }
    }
    done += batch.members.length;
    input.onProgress?.(done, recipients.length);
  }
  return stateRows(states, recipients.length);
}

/** States from the graft on, each `[B, D]`. */
async function statesOfBatch(
  model: Model,
  batch: PromptBatch,
  input: GraftedStatesInput,
): Promise<Float32Array[]> {
  const { state, source = 'mean', signal } = input;
  const places = statePlaces(model.architecture, { site: 'residual' });
  const inside = places.slice(state, -1).map(({ name }) => name);
  const vectors = await vectorsAt(input, { source, state, rows: batch.members });
  const walk = new BlockWalk(model, batch, signal);
  let residual: tf.Tensor3D | null = null;
  try {
    await walk.to(state);
    residual = graftedResidual(walk.place, vectors, input);
    const result = await model.forward({
      ...{ ids: batch.ids, mask: batch.mask, residual, startBlock: state, logits: 'none', signal },
      ...{ capture: (name: string) => inside.includes(name), capturePositions: 'last' },
    });
    const end = await lastRows(result.residual).finally(() => result.dispose());
    return [...inside.map((name) => result.captured.get(name)!.data), end];
  } finally {
    residual?.dispose();
    walk.dispose();
  }
}

/** Rows of the last position, `[B, D]`. */
async function lastRows(residual: tf.Tensor3D): Promise<Float32Array> {
  const [batch, length, width] = residual.shape;
  const last = tf.slice(residual, [0, length - 1, 0], [batch, 1, width]);
  const data = (await last.data()) as Float32Array;
  last.dispose();
  return data.slice();
}
