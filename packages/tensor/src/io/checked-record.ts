import { DataError } from '@lab/core';
import type { ArrayDtype, ArrayRecord, TypedArray } from './array-record.js';
import { dtypeOf, elementCount, isArrayOf } from './dtype.js';

/** What writers take: an {@link ArrayRecord} whose dtype may be left out (the array's own). */
export interface WritableArray {
  shape: readonly number[];
  dtype?: ArrayDtype;
  data: TypedArray;
}

/**
 * The array with its dtype filled in, after its parts have been compared.
 *
 * @param name - what to call it in an error.
 * @param array - shape, dtype and data that should fit each other.
 * @returns a record that shares `data`.
 * @throws {DataError} when they do not.
 */
export function checkedRecord(name: string, array: WritableArray): ArrayRecord {
  const { shape, data } = array;
  const dtype = array.dtype ?? dtypeOf(data);
  if (dtype === undefined || !isArrayOf(dtype, data)) {
    throw new DataError(
      `tensor/io: ${name} is ${dtype ?? 'of no known dtype'}, held in ` +
        `${Object.prototype.toString.call(data).slice(8, -1)}.`,
      { field: name, help: 'Put the numbers into the typed array of the dtype.' },
    );
  }
  const count = elementCount(shape);
  if (count !== data.length) {
    throw new DataError(
      `tensor/io: ${name} has shape [${shape.join(', ')}] but ${data.length} numbers.`,
      { field: name, help: 'Make the product of the shape the number of elements.' },
    );
  }
  return { shape: shape.slice(), dtype, data };
}
