/**
 * The nearest rows of both sides by an index: nearly all of them, in time that grows with the rows
 * and not with their square.
 */
import type { Random } from '@lab/core';
import { type HostMatrix, hostMatMul, principalSubspace, tf } from '@lab/tensor';
import type { BatchShape, CandidateStore } from './candidate-store.js';
import type { HostPair } from './host-pair.js';
import { nearestExactly } from './nearest-exactly.js';
import { type Neighbours, noNeighbours } from './neighbours.js';
import { createVectorIndex, searchEffort, type VectorIndex } from './vector-index.js';

/** Numbers of a vector in the index, at most. */
const INDEX_WIDTH = 128;

/** Rows of each side from which the directions of the index are taken, at most. */
const SAMPLED_ROWS = 8192;

/** Rows that are added, or searched for, at a time. */
const BATCH_ROWS = 16_384;

/** Rows after which a search can be stopped: far less than a second of work, also of a million. */
const STOP_ROWS = 1024;

/** The nearest of the other side: of each left row, and of each right row. */
export interface BothWays {
  readonly forward: Neighbours;
  readonly backward: Neighbours;
}

/** What a search tells: rows done of both directions. */
export interface SearchProgress {
  readonly done: number;
  readonly total: number;
}

/** Options of {@link approximateNearest}. */
export interface ApproximateOptions {
  /** Stream of the directions. */
  readonly random: Random;
  /** Whether the right rows ask, too; without it `backward` is empty. Default true. */
  readonly bothWays?: boolean | undefined;
  /** Rows that are searched for at a time; default 16,384. */
  readonly batchRows?: number | undefined;
  /** Where finished batches are kept, and taken from. */
  readonly store?: CandidateStore | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined;
}

/**
 * The nearest rows of the other side, in both directions, by exact cosine among those that an index
 * finds: 32 of each row, 64 among more than 524,288.
 *
 * Rows of more than 128 numbers are put into the index by their coordinates in the directions that
 * say most; the cosines are of the rows themselves.
 *
 * @throws {BackendError} when usearch is not installed.
 */
export async function approximateNearest(
  sides: HostPair,
  options: ApproximateOptions,
): Promise<BothWays> {
  const { left, right } = sides;
  const isOneWay = options.bothWays === false;
  const total = left.rowCount + (isOneWay ? 0 : right.rowCount);
  let done = 0;
  let made: Promise<Projection> | undefined; // nothing is made where all batches are stored
  const context = {
    ...options,
    project: async (rows: HostMatrix, start: number, count: number) => {
      made ??= projection(sides, options.random);
      return (await made)(rows, start, count);
    },
    tick: async (rows: number) => {
      done += rows;
      options.onProgress?.({ done, total });
      await tf.nextFrame();
      options.signal?.throwIfAborted();
    },
  };
  const forward = await nearestOf({ queries: left, base: right, name: 'forward' }, context);
  if (isOneWay) return { forward, backward: noNeighbours };
  return {
    forward,
    backward: await nearestOf({ queries: right, base: left, name: 'backward' }, context),
  };
}

interface Search {
  readonly queries: HostMatrix;
  readonly base: HostMatrix;
  readonly name: 'forward' | 'backward';
}

/** Coordinates of some rows in the index. */
type Projection = (rows: HostMatrix, start: number, count: number) => Promise<Float32Array>;

interface Context extends Pick<ApproximateOptions, 'store' | 'signal' | 'batchRows'> {
  readonly project: Projection;
  tick(rows: number): Promise<void>;
}

async function nearestOf(search: Search, context: Context): Promise<Neighbours> {
  const { queries, base, name } = search;
  const width = Math.min(searchEffort(base.rowCount).candidates, base.rowCount);
  const indices = new Int32Array(queries.rowCount * width);
  const cosines = new Float32Array(queries.rowCount * width);
  let index: VectorIndex | null = null;
  for (const { start, count, batch } of batches(queries.rowCount, context.batchRows)) {
    let found = await context.store?.read(name, batch, { count, width });
    if (found === undefined) {
      index ??= await indexOf(base, context);
      const vectors = await context.project(queries, start, count);
      const numbers = await numbersOf(vectors, index, { count, width, signal: context.signal });
      found = await nearestExactly(rowBlock(queries, start, count), base, numbers, context.signal);
      await context.store?.write(name, batch, found);
    }
    indices.set(found.indices, start * width);
    cosines.set(found.cosines, start * width);
    await context.tick(count);
  }
  return { indices, cosines, width };
}

/** Numbers of the nearest of some vectors, part by part. */
async function numbersOf(
  vectors: Float32Array,
  index: VectorIndex,
  { count, width, signal }: BatchShape & Pick<Context, 'signal'>,
): Promise<Int32Array> {
  const numbers = new Int32Array(count * width);
  const dimension = vectors.length / count;
  for (const part of batches(count, STOP_ROWS)) {
    const end = (part.start + part.count) * dimension;
    const found = index.search(vectors.subarray(part.start * dimension, end), width);
    numbers.set(found, part.start * width);
    await tf.nextFrame();
    signal?.throwIfAborted();
  }
  return numbers;
}

async function indexOf(base: HostMatrix, { project, signal }: Context): Promise<VectorIndex> {
  const first = await project(base, 0, 1);
  const searchWidth = searchEffort(base.rowCount).width;
  const index = await createVectorIndex({ width: first.length, searchWidth });
  for (const { start, count } of batches(base.rowCount, STOP_ROWS)) {
    index.add(await project(base, start, count));
    await tf.nextFrame();
    signal?.throwIfAborted();
  }
  return index;
}

/** Consecutive rows of a matrix, without a copy. */
function rowBlock({ values, columnCount }: HostMatrix, start: number, count: number): HostMatrix {
  const part = values.subarray(start * columnCount, (start + count) * columnCount);
  return { rowCount: count, columnCount, values: part };
}

function* batches(rowCount: number, batchRows = BATCH_ROWS) {
  for (let start = 0, batch = 0; start < rowCount; start += batchRows, batch += 1) {
    yield { start, count: Math.min(batchRows, rowCount - start), batch };
  }
}

/** Rows as they go into the index: as they are, or by coordinates. */
async function projection({ left, right }: HostPair, random: Random): Promise<Projection> {
  const width = left.columnCount;
  if (width <= INDEX_WIDTH) {
    return async (rows, start, count) => rowBlock(rows, start, count).values;
  }
  const basis = await principalSubspace(sampledRows(left, right), { rank: INDEX_WIDTH, random });
  return async (rows, start, count) => {
    const product = tf.tidy(() =>
      hostMatMul(rowBlock(rows, start, count), tf.tensor2d(basis, [width, INDEX_WIDTH])),
    );
    const values = (await product.data()) as Float32Array;
    product.dispose();
    return values;
  };
}

/** Rows of both sides, spread evenly. */
function sampledRows(left: HostMatrix, right: HostMatrix): HostMatrix {
  const parts = [left, right].map((side) => {
    const stride = Math.ceil(side.rowCount / SAMPLED_ROWS);
    return { side, stride, count: Math.ceil(side.rowCount / stride) };
  });
  const { columnCount } = left;
  const rowCount = parts.reduce((sum, { count }) => sum + count, 0);
  const values = new Float32Array(rowCount * columnCount);
  let at = 0;
  for (const { side, stride, count } of parts) {
    for (let i = 0; i < count; i += 1, at += 1) {
      values.set(rowBlock(side, i * stride, 1).values, at * columnCount);
    }
  }
  return { rowCount, columnCount, values };
}
