import { ConfigError, ModelError, ShapeError } from '@lab/core';
import type { tf } from '../tfjs.js';
import type { HostMatrix } from './host-matrix.js';
import {
  type BlockSize,
  defaultBlock,
  defaultCacheBytes,
  type MatrixSize,
  type SimilarityInputs,
  uploadedBlock,
} from './similarity-blocks.js';
import { anyHost, type RowSource, sizeOf, valuesOf } from './similarity-rows.js';

/**
 * Rows of one side, L2-normalised: a matrix, samples of it whose similarities are averaged, or rows
 * in the host's memory that would fill the backend (`HostRows`), of which blocks are uploaded.
 */
export type Rows = tf.Tensor2D | readonly tf.Tensor2D[] | HostMatrix;

/** The two sides that are compared. */
export interface SimilaritySides {
  /** `[n, D]`, or samples of that shape. */
  left: Rows;
  /** `[m, D]`, or as many samples. */
  right: Rows;
  /** Stops the walk at the next block, throwing the signal's reason. */
  signal?: AbortSignal;
  /**
   * Most rows and columns of a block; default 512 by 4096, of uploaded rows 2048 by 4096. The
   * results do not depend on it.
   */
  block?: BlockSize;
  /** Bytes of blocks kept for a second walk; default 192 MiB. The results do not depend on it. */
  cacheBytes?: number;
}

/** Checked sides and the size of their matrix of similarities. */
export interface CheckedSides extends MatrixSize {
  inputs: SimilarityInputs;
}

/** The sides as samples of fitting shapes without NaN or infinity; throws as rankPairs does. */
export async function checkedSides(sides: SimilaritySides, where: string): Promise<CheckedSides> {
  const left = asSamples(sides.left);
  const right = asSamples(sides.right);
  const [rowTotal, width] = left[0] ? sizeOf(left[0]) : [0, 0];
  const [columnTotal] = right[0] ? sizeOf(right[0]) : [0];
  const areAll = (samples: readonly RowSource[], count: number) =>
    samples.every((x) => isMatrix(x) && sizeOf(x)[0] === count && sizeOf(x)[1] === width);
  const fits =
    left.length === right.length &&
    rowTotal > 0 &&
    columnTotal > 0 &&
    areAll(left, rowTotal) &&
    areAll(right, columnTotal);
  if (!fits) {
    const got = `${shapesOf(left)} and ${shapesOf(right)}`;
    throw new ShapeError(
      `${where}: left is ${shapesOf(left)}, right is ${shapesOf(right)}; ` +
        'pass [n, D] and [m, D] with n, m >= 1, and as many samples left as right.',
      { expected: '[n, D] and [m, D]', got },
    );
  }
  for (const x of left) await assertFinite(x, 'left', where);
  for (const x of right) await assertFinite(x, 'right', where);
  const usual = anyHost([...left, ...right]) ? uploadedBlock : defaultBlock;
  const { signal, block = usual, cacheBytes = defaultCacheBytes } = sides;
  const inputs = { left, right, signal, block, cacheBytes };
  return { inputs, rowTotal, columnTotal };
}

function asSamples(rows: Rows): readonly RowSource[] {
  return Array.isArray(rows) ? (rows as readonly RowSource[]) : [rows as RowSource];
}

/** Whether a source has two dimensions, and as many values as they say. */
function isMatrix(rows: RowSource): boolean {
  if (!('values' in rows)) return rows.rank === 2;
  return rows.values.length === rows.rowCount * rows.columnCount;
}

function shapesOf(samples: readonly RowSource[]): string {
  return samples.map((x) => `[${'values' in x ? sizeOf(x) : x.shape}]`).join(' ') || 'empty';
}

function firstNotFinite(values: Float32Array): number {
  for (let at = 0; at < values.length; at += 1) {
    if (!Number.isFinite(values[at])) return at;
  }
  return -1;
}

async function assertFinite(x: RowSource, side: string, where: string): Promise<void> {
  const [, width] = sizeOf(x);
  const at = firstNotFinite(await valuesOf(x));
  if (at < 0) return;
  const row = Math.floor(at / width);
  throw new ModelError(
    `${where}: ${side} row ${row} has a value that is not finite at feature ${at % width}; ` +
      'its similarities cannot be ranked. Look for a diverged training or a zero row before it.',
    { details: { side, row, feature: at % width } },
  );
}

/** Throws unless `gold` has a column, or -1, for every row. */
export function assertGold(
  gold: Int32Array,
  { rowTotal, columnTotal }: MatrixSize,
  where: string,
): void {
  if (gold.length !== rowTotal) {
    throw new ShapeError(
      `${where}: gold has ${gold.length} entries, left has ${rowTotal} rows; ` +
        'give a column, or -1, for every row.',
      { expected: `[${rowTotal}]`, got: `[${gold.length}]` },
    );
  }
  const row = gold.findIndex((column) => column < -1 || column >= columnTotal);
  if (row < 0) return;
  throw new ConfigError(
    `${where}: gold of row ${row} is column ${gold[row]}, there are ${columnTotal} columns; ` +
      'give a column of right, or -1 for no counterpart.',
  );
}

/** Throws unless `value` is a whole number of at least 1. */
export function assertCount(value: number, name: string, where: string): void {
  if (Number.isInteger(value) && value >= 1) return;
  throw new ConfigError(`${where}: ${name} is ${value}; pass a whole number of at least 1.`);
}
