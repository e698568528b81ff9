/**
 * Texts to vectors: pooled states behind the final norm.
 */
import { NORMED } from '../logits-in-parts.js';
import type { Model } from '../model.js';

/** Which tokens a vector is made of. */
export type Pooling = 'last' | 'mean';

/** Padded tokens that go through the model together, about. */
const BATCH_TOKENS = 2048;

/** How texts are embedded. */
export interface EmbedOptions {
  readonly pooling: Pooling;
  readonly paddingId: number;
  readonly signal: AbortSignal;
}

/**
 * Vectors of texts, each of length one: the mean of the states of all tokens of a text, special
 * tokens included, or the state of its last token; states are those behind the final norm.
 *
 * `v = m / |m|`, `m = (1/T) sum_t h_t` or `m = h_T`.
 *
 * @param rows - token ids, at least one each.
 * @returns in the order of the texts, `[D]` each.
 */
export async function embedTexts(
  model: Model,
  rows: readonly (readonly number[])[],
  options: EmbedOptions,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  const order = Array.from(rows.keys()).toSorted((a, b) => rows[a]!.length - rows[b]!.length);
  for (const places of batchesOf(order, rows, model)) {
    const made = await embedBatch(
      model,
      places.map((at) => rows[at]!),
      options,
    );
    for (const [at, place] of places.entries()) vectors[place] = made[at]!;
  }
  return vectors;
}

/** Places of texts that go together; alone where positions depend on the longest of a batch. */
function batchesOf(
  order: readonly number[],
  rows: readonly (readonly number[])[],
  { architecture }: Model,
): number[][] {
  const isAlone = architecture.blocks.some(({ rotary }) =>
    ['dynamic', 'longrope'].includes(rotary?.scaling.kind ?? ''),
  );
  const batches: number[][] = [];
  for (const place of order) {
    const batch = batches.at(-1);
    const tokens = ((batch?.length ?? 0) + 1) * rows[place]!.length;
    if (batch === undefined || isAlone || tokens > BATCH_TOKENS) batches.push([place]);
    else batch.push(place);
  }
  return batches;
}

async function embedBatch(
  model: Model,
  rows: readonly (readonly number[])[],
  { pooling, paddingId, signal }: EmbedOptions,
): Promise<Float32Array[]> {
  const length = rows.at(-1)!.length;
  const filled = (row: readonly number[], own: (id: number) => number, filling: number) => [
    ...Array.from({ length: length - row.length }, () => filling),
    ...row.map(own),
  ];
  const result = await model.forward({
    ids: rows.map((row) => filled(row, (id) => id, paddingId)),
    mask: rows.map((row) => filled(row, () => 1, 0)),
    ...{ logits: 'none', capture: NORMED, capturePositions: pooling === 'last' ? 'last' : 'all' },
    signal,
  });
  result.dispose();
  const { shape, data } = result.captured.get(NORMED)!;
  const width = shape.at(-1)!;
  const kept = data.length / rows.length / width;
  return rows.map((row, text) => {
    const count = pooling === 'last' ? 1 : row.length;
    // Padding is on the left.
    const end = (text + 1) * kept * width;
    return unitMean(data.subarray(end - count * width, end), width);
  });
}

/** The mean of rows, of length one; added up in float64. */
function unitMean(rows: Float32Array, width: number): Float32Array {
  const sum = new Float64Array(width);
  for (let at = 0; at < rows.length; at += 1) sum[at % width]! += rows[at]!;
  const length = Math.hypot(...sum);
  return Float32Array.from(sum, (value) => value / length);
}
