/**
 * States of both encoders in the host's memory, and the final embeddings they make up.
 */
import type { Neighbourhood } from '@lab/graph';
import { HostRows } from '@lab/tensor';
import type { BlockwiseModel } from './blockwise-model.js';
import type { RelationEncoder } from './relation-attention.js';

/** States of the entities of a neighbourhood, in its local numbers. */
export interface BlockwiseStates {
  /** h^0 ... h^L of each encoder: h^l has `rowCounts[l]` rows; only those that pass vectors on. */
  readonly encoders: Partial<Record<RelationEncoder, readonly HostRows[]>>;
  /** tanh(g) of the targets, `[T, M D]`. */
  readonly early: HostRows | null;
}

/**
 * States of zeros.
 *
 * @param options - `layers`: states beyond h^layers are not made (those of an embedding that is
 *   streamed), neither is `early` without `withEarly`.
 */
export function createStates(
  model: BlockwiseModel,
  { rowCounts }: Pick<Neighbourhood, 'rowCounts'>,
  { layers, withEarly }: { readonly layers: number; readonly withEarly: boolean },
): BlockwiseStates {
  const { size } = model.settings;
  const states = () =>
    rowCounts.slice(0, layers + 1).map((rowCount) => new HostRows(rowCount, size));
  const encoders: Partial<Record<RelationEncoder, readonly HostRows[]>> = {};
  for (const encoder of model.encoders) encoders[encoder] = states();
  const earlyWidth = model.modalities.length * size;
  const isEarly = withEarly && earlyWidth > 0;
  return { encoders, early: isEarly ? new HostRows(rowCounts.at(-1)!, earlyWidth) : null };
}

/** The states that a final embedding is made of, left to right: G, then J. */
export function outputStates({ encoders, early }: BlockwiseStates): readonly HostRows[] {
  const { structure = [], joint = [] } = encoders;
  return [...structure, ...(early === null ? [] : [early]), ...joint.slice(1)];
}

/** The final embeddings of some targets, row-major `[targets.length, width]`. */
export function outputRows(states: BlockwiseStates, targets: Int32Array): Float32Array {
  const parts = outputStates(states);
  const stride = parts.reduce((sum, part) => sum + part.columnCount, 0);
  const rows = new Float32Array(targets.length * stride);
  let offset = 0;
  for (const part of parts) {
    part.copyRows(targets, rows, { offset, stride });
    offset += part.columnCount;
  }
  return rows;
}

/** Adds the gradient of {@link outputRows} to that of the states. */
export function addOutputGradient(
  states: BlockwiseStates,
  targets: Int32Array,
  gradient: Float32Array,
): void {
  const stride = gradient.length / Math.max(1, targets.length);
  let offset = 0;
  for (const part of outputStates(states)) {
    part.addGradientRows(targets, gradient, { offset, stride });
    offset += part.columnCount;
  }
}
