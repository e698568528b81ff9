import { DataError, type Random } from '@lab/core';
import type { AlignmentData, ImageVectors } from './knowledge-graph.js';

/** What an entity without an image gets. */
export type ImageFill = 'neighbour-mean' | 'random' | 'zeros' | 'mask';

/** Image features of all entities. */
export interface ImageFeatures {
  /** Row-major `[N, dimension]`, rows of norm 1 (or 0 where left empty). */
  readonly values: Float32Array;
  readonly dimension: number;
  /** 1 where the entity has an image of its own, `[N]`. */
  readonly present: Uint8Array;
  /** Entities that got the mean of their neighbours' images. */
  readonly filledFromNeighbours: number;
  /** Entities that got a random vector (one shared vector with `neighbour-mean`). */
  readonly filledShared: number;
}

interface ColumnMoments {
  readonly mean: Float64Array; // [D]
  readonly deviation: Float64Array; // [D], population
}

function columnMoments(images: ImageVectors): ColumnMoments {
  const { dimension, vectors } = images;
  const rows = images.entities.length;
  const mean = new Float64Array(dimension);
  const square = new Float64Array(dimension);
  for (let i = 0; i < rows; i += 1) {
    for (let d = 0; d < dimension; d += 1) {
      const value = vectors[i * dimension + d] as number;
      mean[d] = (mean[d] as number) + value / rows;
      square[d] = (square[d] as number) + (value * value) / rows;
    }
  }
  const deviation = square.map((value, d) =>
    Math.sqrt(Math.max(0, value - (mean[d] as number) ** 2)),
  );
  return { mean, deviation };
}

function drawVector(out: Float32Array, moments: ColumnMoments, random: Random): void {
  for (let d = 0; d < out.length; d += 1) {
    out[d] = (moments.mean[d] as number) + (moments.deviation[d] as number) * random.normal();
  }
}

/** Adds to every missing row the images of its neighbours, once per triple; returns the counts. */
function sumNeighbours(
  triples: AlignmentData['triples'],
  features: {
    readonly values: Float32Array;
    readonly present: Uint8Array;
    readonly dimension: number;
  },
): Int32Array {
  const { values, present, dimension } = features;
  const counts = new Int32Array(present.length);
  const add = (target: number, source: number): void => {
    if (present[target] === 1 || present[source] === 0) return;
    for (let d = 0; d < dimension; d += 1) {
      const at = target * dimension + d;
      values[at] = (values[at] as number) + (values[source * dimension + d] as number);
    }
    counts[target] = (counts[target] as number) + 1;
  };
  for (let e = 0; e < triples.heads.length; e += 1) {
    add(triples.heads[e] as number, triples.tails[e] as number);
    add(triples.tails[e] as number, triples.heads[e] as number);
  }
  return counts;
}

function normalizeRows(values: Float32Array, dimension: number): void {
  for (let start = 0; start < values.length; start += dimension) {
    const row = values.subarray(start, start + dimension);
    let sum = 0;
    for (const value of row) sum += value * value;
    if (sum === 0) continue;
    const scale = 1 / Math.sqrt(sum);
    for (let d = 0; d < dimension; d += 1) row[d] = (row[d] as number) * scale;
  }
}

/**
 * Image features of all entities, rows of norm 1.
 *
 * `neighbour-mean`: a missing image is the mean of the images of graph neighbours, a neighbour as
 * often as triples join them; without such a neighbour one vector drawn once from
 * Normal(column mean, column deviation) is shared. `random`: an independent draw for each.
 * `zeros`, `mask`: the row stays 0 (with `mask` the model is expected to use `present`).
 * Source: sutaoyu/IBMEA, `load_img`; equation not verified.
 *
 * @param data - entities, triples, images.
 * @param options - how to fill, and the stream for draws (needed for the first two).
 * @throws {DataError} when the data have no images, or draws are needed and `random` is missing.
 */
export function imageFeatures(
  data: Pick<AlignmentData, 'entityCount' | 'triples' | 'images'>,
  options: { readonly fill?: ImageFill | undefined; readonly random?: Random | undefined } = {},
): ImageFeatures {
  const { images } = data;
  if (images === null) {
    const help = 'Check data.images before asking for image features.';
    throw new DataError('graph/imageFeatures: the data have no images.', { help });
  }
  const fill = options.fill ?? 'neighbour-mean';
  const { dimension } = images;
  const values = new Float32Array(data.entityCount * dimension);
  const present = new Uint8Array(data.entityCount);
  for (const [row, entity] of images.entities.entries()) {
    const vector = images.vectors.subarray(row * dimension, (row + 1) * dimension);
    values.set(vector, entity * dimension);
    present[entity] = 1;
  }
  const features = { values, present, dimension };
  const isDrawn = fill === 'neighbour-mean' || fill === 'random';
  const filled = isDrawn
    ? fillMissing(data.triples, features, { images, random: options.random, fill })
    : { filledFromNeighbours: 0, filledShared: 0 };
  normalizeRows(values, dimension);
  return { ...features, ...filled };
}

function fillMissing(
  triples: AlignmentData['triples'],
  features: {
    readonly values: Float32Array;
    readonly present: Uint8Array;
    readonly dimension: number;
  },
  options: {
    readonly images: ImageVectors;
    readonly random: Random | undefined;
    readonly fill: ImageFill;
  },
): { filledFromNeighbours: number; filledShared: number } {
  const { values, present, dimension } = features;
  const isMean = options.fill === 'neighbour-mean';
  const counts = isMean ? sumNeighbours(triples, features) : new Int32Array(present.length);
  const moments = columnMoments(options.images);
  const shared = new Float32Array(dimension);
  let filledFromNeighbours = 0;
  let filledShared = 0;
  for (let i = 0; i < present.length; i += 1) {
    if (present[i] === 1) continue;
    const row = values.subarray(i * dimension, (i + 1) * dimension);
    const count = counts[i] as number;
    if (count > 0) {
      for (let d = 0; d < dimension; d += 1) row[d] = (row[d] as number) / count;
      filledFromNeighbours += 1;
      continue;
    }
    if (options.random === undefined) {
      const help = 'Pass random: a named stream, or fill: "zeros".';
      throw new DataError(`graph/imageFeatures: ${options.fill} needs random draws.`, { help });
    }
    if (!isMean || filledShared === 0) drawVector(shared, moments, options.random);
    row.set(shared);
    filledShared += 1;
  }
  return { filledFromNeighbours, filledShared };
}
