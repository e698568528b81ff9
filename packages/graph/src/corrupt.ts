import { ConfigError, type Random } from '@lab/core';
import type { CsrArrays } from '@lab/tensor';
import type { AlignmentData, AttributeBags, ImageVectors } from './knowledge-graph.js';

/** How much is spoilt, and by which stream. */
export interface Corruption {
  /** Chance of each row, bit or triple, 0..1. */
  readonly probability: number;
  readonly random: Random;
}

function checkProbability({ probability }: Corruption, where: string): void {
  if (probability >= 0 && probability <= 1) return;
  const help = 'Give a probability from 0 to 1.';
  throw new ConfigError(`graph/${where}: probability is ${probability}.`, { help });
}

/**
 * For each of `rows`, the row that takes its place: with the given probability a row is chosen,
 * and the chosen ones change places in a circle in random order (one alone stays).
 */
function swappedRows(rows: Int32Array, corruption: Corruption): Map<number, number> {
  const { probability, random } = corruption;
  const chosen = rows.filter(() => random.uniform() < probability);
  random.shuffle(chosen);
  const sources = new Map<number, number>();
  for (const [i, row] of chosen.entries()) {
    sources.set(row, chosen[(i + 1) % chosen.length] as number);
  }
  return sources;
}

/** The rows of a pattern in another order. */
function reorderRows(
  rows: Pick<CsrArrays, 'rowPointers' | 'columns' | 'values'>,
  sourceOf: (row: number) => number,
): { rowPointers: Int32Array; columns: Int32Array; values?: Float32Array } {
  const { rowPointers, columns, values } = rows;
  const pointers = new Int32Array(rowPointers.length);
  const order = new Int32Array(columns.length);
  let count = 0;
  for (let i = 0; i + 1 < rowPointers.length; i += 1) {
    const source = sourceOf(i);
    for (let e = rowPointers[source] as number; e < (rowPointers[source + 1] as number); e += 1) {
      order[count] = e;
      count += 1;
    }
    pointers[i + 1] = count;
  }
  const pattern = {
    rowPointers: pointers,
    columns: Int32Array.from(order, (e) => columns[e] as number),
  };
  if (values === undefined) return pattern;
  return { ...pattern, values: Float32Array.from(order, (e) => values[e] as number) };
}

/**
 * A feature matrix in which rows changed places between entities of the same graph: each row
 * takes part with the given probability. For relation or attribute bags of the noise study.
 *
 * @param matrix - features `[N, F]`.
 * @param data - which entities belong to which graph.
 * @param corruption - probability and stream.
 * @throws {ConfigError} when the probability is not in 0..1.
 */
export function swapFeatureRows(
  matrix: CsrArrays,
  data: Pick<AlignmentData, 'left' | 'right'>,
  corruption: Corruption,
): CsrArrays {
  checkProbability(corruption, 'swapFeatureRows');
  const left = swappedRows(data.left, corruption);
  const right = swappedRows(data.right, corruption);
  const sourceOf = (row: number): number => left.get(row) ?? right.get(row) ?? row;
  return { ...matrix, ...reorderRows(matrix, sourceOf) };
}

/**
 * The data with attribute rows changed between entities of the same graph; see
 * {@link swapFeatureRows}.
 */
export function swapAttributeRows(data: AlignmentData, corruption: Corruption): AlignmentData {
  checkProbability(corruption, 'swapAttributeRows');
  if (data.attributes === null) return data;
  const left = swappedRows(data.left, corruption);
  const right = swappedRows(data.right, corruption);
  const sourceOf = (row: number): number => left.get(row) ?? right.get(row) ?? row;
  const rows = reorderRows(data.attributes, sourceOf);
  return { ...data, attributes: { names: data.attributes.names, ...rows } };
}

/** Next flipped position after `from`: gaps between flips are geometric. */
function nextFlip(from: number, { probability, random }: Corruption): number {
  if (probability >= 1) return from + 1;
  if (probability <= 0) return Number.POSITIVE_INFINITY;
  const gap = Math.floor(Math.log(1 - random.uniform()) / Math.log(1 - probability));
  return from + 1 + gap;
}

/** Cells of a table flipped: which columns each row has then, and where each entry came from. */
interface FlippedRows {
  readonly rowPointers: Int32Array;
  readonly columns: Int32Array;
  /** Entry of the old table, -1 for an added one. */
  readonly origins: Int32Array;
}

/** Every cell of an `[N, width]` pattern changes with the given probability. */
function flipRows(
  { rowPointers, columns }: Pick<CsrArrays, 'rowPointers' | 'columns'>,
  width: number,
  corruption: Corruption,
): FlippedRows {
  const pointers = new Int32Array(rowPointers.length);
  const kept: number[] = [];
  const origins: number[] = [];
  let flip = nextFlip(-1, corruption);
  for (let i = 0; i + 1 < rowPointers.length; i += 1) {
    const present = new Map<number, number>();
    for (let e = rowPointers[i] as number; e < (rowPointers[i + 1] as number); e += 1) {
      present.set(columns[e] as number, e);
    }
    for (; flip < (i + 1) * width; flip = nextFlip(flip, corruption)) {
      const column = flip - i * width;
      if (!present.delete(column)) present.set(column, -1);
    }
    for (const [column, origin] of [...present].sort(([a], [b]) => a - b)) {
      kept.push(column);
      origins.push(origin);
    }
    pointers[i + 1] = kept.length;
  }
  return {
    rowPointers: pointers,
    columns: Int32Array.from(kept),
    origins: Int32Array.from(origins),
  };
}

/**
 * The data with attribute bits flipped: each (entity, attribute) of the `[N, F]` table changes
 * with the given probability, so rare attributes are added far more often than removed.
 *
 * @param data - with or without attributes.
 * @param corruption - probability and stream.
 * @throws {ConfigError} when the probability is not in 0..1.
 */
export function flipAttributes(data: AlignmentData, corruption: Corruption): AlignmentData {
  checkProbability(corruption, 'flipAttributes');
  const { attributes } = data;
  if (attributes === null) return data;
  const { rowPointers, columns } = flipRows(attributes, attributes.names.length, corruption);
  const flipped: AttributeBags = { ...attributes, rowPointers, columns };
  return { ...data, attributes: flipped };
}

/**
 * A feature matrix with entries flipped: each cell of `[N, F]` changes with the given probability
 * from absent to present and back. An added entry gets the mean of all entries.
 *
 * @param matrix - features `[N, F]`, e.g. relation bags.
 * @param corruption - probability and stream.
 * @throws {ConfigError} when the probability is not in 0..1.
 */
export function flipFeatures(matrix: CsrArrays, corruption: Corruption): CsrArrays {
  checkProbability(corruption, 'flipFeatures');
  const { rowPointers, columns, origins } = flipRows(matrix, matrix.columnCount, corruption);
  const { values } = matrix;
  if (values === undefined) return { ...matrix, rowPointers, columns };
  const sum = values.reduce((total, value) => total + value, 0);
  const added = values.length === 0 ? 1 : sum / values.length;
  const flipped = Float32Array.from(origins, (e) => (e < 0 ? added : (values[e] as number)));
  return { ...matrix, rowPointers, columns, values: flipped };
}

function keepImages(images: ImageVectors, rows: Int32Array): ImageVectors | null {
  if (rows.length === 0) return null;
  const { dimension } = images;
  const vectors = new Float32Array(rows.length * dimension);
  for (const [position, row] of rows.entries()) {
    vectors.set(
      images.vectors.subarray(row * dimension, (row + 1) * dimension),
      position * dimension,
    );
  }
  const entities = Int32Array.from(rows, (row) => images.entities[row] as number);
  return { dimension, entities, vectors };
}

/** The data without some images: each is dropped with the given probability. */
export function dropImages(data: AlignmentData, corruption: Corruption): AlignmentData {
  checkProbability(corruption, 'dropImages');
  const { images } = data;
  if (images === null) return data;
  const rows = Int32Array.from(images.entities.keys()).filter(
    () => corruption.random.uniform() >= corruption.probability,
  );
  return { ...data, images: keepImages(images, rows) };
}

/**
 * The data with normal noise added to the image vectors: each vector, with the given probability,
 * gets noise whose deviation is `strength` times the root mean square of all numbers.
 *
 * @param data - with or without images.
 * @param noise - probability, stream, and strength (default 1).
 */
export function addImageNoise(
  data: AlignmentData,
  noise: Corruption & { readonly strength?: number },
): AlignmentData {
  checkProbability(noise, 'addImageNoise');
  const { images } = data;
  if (images === null) return data;
  let sum = 0;
  for (const value of images.vectors) sum += value * value;
  const deviation = (noise.strength ?? 1) * Math.sqrt(sum / images.vectors.length);
  const vectors = Float32Array.from(images.vectors);
  for (let start = 0; start < vectors.length; start += images.dimension) {
    if (noise.random.uniform() >= noise.probability) continue;
    for (let d = start; d < start + images.dimension; d += 1) {
      vectors[d] = (vectors[d] as number) + deviation * noise.random.normal();
    }
  }
  return { ...data, images: { ...images, vectors } };
}

/** The data with image vectors changed between entities of the same graph. */
export function swapImages(data: AlignmentData, corruption: Corruption): AlignmentData {
  checkProbability(corruption, 'swapImages');
  const { images } = data;
  if (images === null) return data;
  const rowsOf = (side: number): Int32Array =>
    Int32Array.from(images.entities.keys()).filter(
      (row) => data.sides[images.entities[row] as number] === side,
    );
  const sources = [1, 2].map((side) => swappedRows(rowsOf(side), corruption));
  const order = Int32Array.from(
    images.entities.keys(),
    (row) => sources[0]?.get(row) ?? sources[1]?.get(row) ?? row,
  );
  const swapped = keepImages(images, order);
  const vectors = swapped === null ? images.vectors : swapped.vectors;
  return { ...data, images: { ...images, vectors } };
}

/**
 * The data with random vectors as images, which say nothing about the links: a modality of pure
 * noise. Each entity gets one with the given probability.
 *
 * @param data - its images, if any, are replaced.
 * @param noise - share of entities with a vector, stream, and length of a vector (default 64).
 */
export function noiseImages(
  data: AlignmentData,
  noise: Corruption & { readonly dimension?: number },
): AlignmentData {
  checkProbability(noise, 'noiseImages');
  const dimension = noise.dimension ?? 64;
  const entities = Int32Array.from({ length: data.entityCount }, (_, i) => i).filter(
    () => noise.random.uniform() < noise.probability,
  );
  if (entities.length === 0) return { ...data, images: null };
  const vectors = noise.random.fillNormal(new Float32Array(entities.length * dimension));
  const remarks = [...data.remarks, 'The images are random noise.'];
  return { ...data, images: { dimension, entities, vectors }, remarks };
}

/** The data without some triples: each is dropped with the given probability. */
export function dropTriples(data: AlignmentData, corruption: Corruption): AlignmentData {
  checkProbability(corruption, 'dropTriples');
  const { heads, relations, tails, leftCount } = data.triples;
  const kept = Int32Array.from(heads.keys()).filter(
    () => corruption.random.uniform() >= corruption.probability,
  );
  const pick = (values: Int32Array): Int32Array => kept.map((e) => values[e] as number);
  const triples = {
    heads: pick(heads),
    relations: pick(relations),
    tails: pick(tails),
    leftCount: kept.filter((e) => e < leftCount).length,
  };
  return { ...data, triples };
}
