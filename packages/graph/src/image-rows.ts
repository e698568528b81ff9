import { DataError, type OnDefect } from '@lab/core';
import type { ImageVectors } from './knowledge-graph.js';

/** Image vectors as a reader finds them, row by row. */
export interface ImageRows {
  readonly file: string;
  readonly count: number;
  /** The numbers of a row. */
  readonly vectorOf: (row: number) => ArrayLike<number>;
  /** Dense entity of a row, -1 when unknown. */
  readonly entityOf: (row: number) => number;
  /** The row's entity in words, for messages. */
  readonly labelOf: (row: number) => string;
}

/** What the assembly needs to know and where it reports to. */
export interface ImageContext {
  readonly entityCount: number;
  readonly leftCount: number;
  readonly onDefect: OnDefect;
  readonly remarks: string[];
}

type RowState = 'usable' | 'zero' | 'bad';

/** Looks at one vector; a wrong length or a number that is not finite is a defect. */
function checkVector(
  rows: ImageRows,
  row: number,
  expected: { readonly dimension: number; readonly onDefect: OnDefect },
): RowState {
  const vector = rows.vectorOf(row);
  const { file } = rows;
  if (vector.length !== expected.dimension) {
    const what = `${rows.labelOf(row)} has ${vector.length} numbers, others ${expected.dimension}`;
    const help = 'All image vectors need the same length.';
    expected.onDefect(new DataError(`image features: ${what} (${file}).`, { file, help }));
    return 'bad';
  }
  let isZero = true;
  for (let d = 0; d < vector.length; d += 1) {
    const value = vector[d] as number;
    if (value !== 0) isZero = false;
    if (Number.isFinite(value)) continue;
    const what = `${rows.labelOf(row)} has ${value} at position ${d}`;
    const help = 'Leave the entity out or repair its vector.';
    expected.onDefect(new DataError(`image features: ${what} (${file}).`, { file, help }));
    return 'bad';
  }
  return isZero ? 'zero' : 'usable';
}

/** Rows that can be used, at the position of their entity; -1 elsewhere. */
function chooseRows(
  rows: ImageRows,
  dimension: number,
  context: ImageContext,
): { rowOf: Int32Array; unknown: number; zero: number } {
  const rowOf = new Int32Array(context.entityCount).fill(-1);
  let unknown = 0;
  let zero = 0;
  for (let row = 0; row < rows.count; row += 1) {
    const entity = rows.entityOf(row);
    if (entity < 0) {
      unknown += 1;
      continue;
    }
    const state = checkVector(rows, row, { dimension, onDefect: context.onDefect });
    if (state === 'zero') zero += 1;
    if (state !== 'usable') continue;
    if ((rowOf[entity] as number) >= 0) {
      const what = `${rows.labelOf(row)} has two image vectors`;
      const help = 'Keep one vector per entity.';
      const place = { file: rows.file, help };
      context.onDefect(new DataError(`image features: ${what} (${rows.file}).`, place));
      continue;
    }
    rowOf[entity] = row;
  }
  return { rowOf, unknown, zero };
}

function addRemarks(
  rows: ImageRows,
  counts: { readonly unknown: number; readonly zero: number; readonly sides: readonly number[] },
  context: ImageContext,
): void {
  const { unknown, zero, sides } = counts;
  if (2 * unknown > rows.count) {
    const what = `${unknown} of ${rows.count} vectors belong to no known entity`;
    const help = 'The ids of the image file must be those of the entities.';
    const place = { file: rows.file, help };
    context.onDefect(new DataError(`image features: ${what} (${rows.file}).`, place));
  } else if (unknown > 0) {
    context.remarks.push(`${unknown} image vectors belong to no known entity (ignored).`);
  }
  if (zero > 0) context.remarks.push(`${zero} image vectors are all zero (taken as missing).`);
  const [left, right] = sides as [number, number];
  if (left > 0 !== right > 0) {
    context.remarks.push(`Only KG${left > 0 ? 1 : 2} has images.`);
  }
}

/**
 * The usable image vectors in the order of their entities, null when there are none. Zero vectors
 * count as missing and vectors of unknown entities are left out, both with a remark; vectors of
 * another length than the first, with NaN or infinity, or given twice are defects; so are more
 * than half of unknown entities.
 *
 * @param rows - the vectors as found.
 * @param context - counts of entities, receiver of defects and remarks.
 */
export function assembleImages(rows: ImageRows, context: ImageContext): ImageVectors | null {
  const dimension = rows.count === 0 ? 0 : rows.vectorOf(0).length;
  const { rowOf, unknown, zero } = chooseRows(rows, dimension, context);
  const entities: number[] = [];
  const sides = [0, 0];
  for (let entity = 0; entity < rowOf.length; entity += 1) {
    if ((rowOf[entity] as number) < 0) continue;
    entities.push(entity);
    const side = entity < context.leftCount ? 0 : 1;
    sides[side] = (sides[side] as number) + 1;
  }
  addRemarks(rows, { unknown, zero, sides }, context);
  if (entities.length === 0) {
    context.remarks.push(`No image vector of ${rows.file} can be used.`);
    return null;
  }
  const vectors = new Float32Array(entities.length * dimension);
  for (const [position, entity] of entities.entries()) {
    vectors.set(rows.vectorOf(rowOf[entity] as number), position * dimension);
  }
  return { dimension, entities: Int32Array.from(entities), vectors };
}
