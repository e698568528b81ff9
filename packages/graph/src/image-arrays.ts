import { DataError } from '@lab/core';
import {
  type ArrayRecord,
  type PickleValue,
  readNpy,
  readNpz,
  readPickle,
  readSafetensors,
} from '@lab/tensor/io';

/** Numbers of an image file, before they are matched with entities. */
export interface ImageArrays {
  readonly file: string;
  /** Vectors in the file. */
  readonly count: number;
  /** Entity id of each vector, null when the file does not say. */
  readonly ids: ArrayLike<number> | null;
  /** The numbers of one vector. */
  readonly vectorOf: (row: number) => ArrayLike<number>;
}

const idNames = ['ids', 'entity_ids', 'entities'];
const vectorNames = ['vectors', 'features', 'images', 'values', 'arr_0'];

function numbersOf(
  record: ArrayRecord,
): Exclude<ArrayRecord['data'], BigInt64Array | BigUint64Array> {
  const { data } = record;
  return data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Float64Array.from(data as Iterable<bigint>, Number)
    : data;
}

function matrixRows(file: string, record: ArrayRecord): Pick<ImageArrays, 'count' | 'vectorOf'> {
  const [count, dimension] = record.shape;
  if (record.shape.length !== 2 || count === undefined || dimension === undefined) {
    const what = `image features in ${file} have shape [${record.shape.join(', ')}]`;
    const help = 'Give a matrix with one row per image.';
    throw new DataError(`${what}, expected two dimensions.`, { file, help });
  }
  const data = numbersOf(record);
  return { count, vectorOf: (row) => data.subarray(row * dimension, (row + 1) * dimension) };
}

function fromNamedArrays(file: string, arrays: Readonly<Record<string, ArrayRecord>>): ImageArrays {
  const names = Object.keys(arrays);
  const matrices = names.filter((name) => arrays[name]?.shape.length === 2);
  const chosen =
    vectorNames.find((name) => names.includes(name)) ??
    (matrices.length === 1 ? matrices[0] : undefined);
  const record = chosen === undefined ? undefined : arrays[chosen];
  if (record === undefined) {
    const help = 'Save a matrix "vectors" [images, D] and the entity ids "ids" [images].';
    throw new DataError(`${file} has no matrix of images (arrays: ${names.join(', ')}).`, {
      file,
      help,
    });
  }
  const idName = idNames.find((name) => names.includes(name));
  const ids = idName === undefined ? null : numbersOf(arrays[idName] as ArrayRecord);
  return { file, ids, ...matrixRows(file, record) };
}

function isArrayRecord(value: PickleValue): value is ArrayRecord {
  return typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;
}

/** The vectors of the community's pickles: a dict from entity id to a vector. */
function fromDict(file: string, value: PickleValue): ImageArrays {
  const help = 'Save a dict from entity id to a one-dimensional numpy array.';
  if (!(value instanceof Map)) {
    throw new DataError(`${file} does not hold a dict of image vectors.`, { file, help });
  }
  const entries: [PickleValue, PickleValue][] = [...value.entries()];
  const ids = new Float64Array(entries.length);
  const rows = entries.map(([key, item], row) => {
    const id = Number(key);
    const isVector = isArrayRecord(item) || Array.isArray(item);
    if (!Number.isInteger(id) || !isVector) {
      const what = `${file}: the entry ${String(key)} is not an id with a vector of numbers`;
      throw new DataError(`${what}.`, { file, help });
    }
    ids[row] = id;
    return isArrayRecord(item) ? numbersOf(item) : (item as number[]);
  });
  return { file, count: rows.length, ids, vectorOf: (row) => rows[row] as ArrayLike<number> };
}

/**
 * The image vectors of an npy, npz, safetensors or pickle file. A pickle is read by an allow-list
 * of array opcodes: nothing in it is imported or executed.
 *
 * @param file - path; the ending decides the format, gzip is unpacked.
 * @throws {DataError} when the file is damaged or holds something else.
 */
export async function readImageArrays(file: string): Promise<ImageArrays> {
  const extension = /\.([a-z]+)(?:\.gz)?$/.exec(file)?.[1];
  if (extension === 'npy') {
    return { file, ids: null, ...matrixRows(file, await readNpy(file)) };
  }
  if (extension === 'npz') return fromNamedArrays(file, await readNpz(file));
  if (extension === 'safetensors') {
    return fromNamedArrays(file, (await readSafetensors(file)).tensors);
  }
  if (extension === 'pkl' || extension === 'pickle') return fromDict(file, await readPickle(file));
  const help = 'Give a .npy, .npz, .safetensors or .pkl file, plain or .gz.';
  throw new DataError(`${file} has no known image format.`, { file, help });
}
