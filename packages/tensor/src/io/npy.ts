import { DataError, writeFileAtomic } from '@lab/core';
import type { ArrayRecord } from './array-record.js';
import { checkedRecord, type WritableArray } from './checked-record.js';
import {
  decodeNumbers,
  elementCount,
  encodeNumbers,
  itemBytes,
  numpyTypeOf,
  type NumpyType,
  parseNumpyType,
  toRowMajor,
} from './dtype.js';
import { withFileSource } from './file-source.js';

const magic = Buffer.from('\x93NUMPY', 'latin1');
const maxHeaderBytes = 1 << 20;

/** The header of an npy file. */
export interface NpyHeader {
  type: NumpyType;
  shape: number[];
  isFortran: boolean;
  /** Where the numbers begin, from the start of the file. */
  dataOffset: number;
  dataBytes: number;
}

/**
 * Reads the array of an npy file (format versions 1 to 3).
 *
 * Little and big endian, C and Fortran order; float 16 to 64, integers 8 to 64, bool. Objects,
 * texts, complex numbers, dates and structures are refused.
 *
 * @param path - the file, plain or gzipped.
 * @returns the array, row-major.
 * @throws {DataError} when the file is cut off, foreign, or of a type not listed.
 *
 * @example
 * await writeNpy('features.npy', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
 * const { shape } = await readNpy('features.npy');
 * shape; // => [2, 2]
 */
export async function readNpy(path: string): Promise<ArrayRecord> {
  return withFileSource(path, async (source) => {
    const head = Buffer.alloc(Math.min(source.sizeBytes, maxHeaderBytes + 12));
    source.read(head, 0);
    const header = parseNpyHeader(head, { name: path, sizeBytes: source.sizeBytes });
    const bytes = new Uint8Array(header.dataBytes);
    await source.readLarge(bytes, header.dataOffset);
    return npyRecord(header, bytes, path);
  });
}

/**
 * Writes an array as an npy file, atomically: after a crash or on a full disk the old file, if
 * any, is still whole.
 *
 * @param path - the file.
 * @param array - row-major; not bfloat16, which NumPy does not have.
 * @throws {DataError} when the parts of the array do not fit, or the disk is full.
 */
export async function writeNpy(path: string, array: WritableArray): Promise<void> {
  const record = checkedRecord(path, array);
  const descr = numpyTypeOf(record.dtype);
  if (descr === undefined) {
    throw new DataError(`${path}: NumPy has no type for ${record.dtype}.`, {
      file: path,
      help: 'Write float32, or a safetensors file.',
    });
  }
  const header = npyHeader(descr, record.shape);
  writeFileAtomic(path, chunks(header, record));
}

/**
 * The bytes of an npy file before its numbers: for files that grow part by part.
 *
 * @param descr - NumPy's name of the type, such as `<f4`.
 * @param shape - of all numbers that will follow, row-major.
 */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const padding = 64 - ((10 + text.length + 1) % 64);
  const header = Buffer.alloc(10 + text.length + padding + 1, ' ');
  magic.copy(header);
  header.writeUInt8(1, 6);
  header.writeUInt8(0, 7);
  header.writeUInt16LE(header.length - 10, 8);
  header.write(text, 10, 'latin1');
  header.writeUInt8(10, header.length - 1);
  return header;
}

function* chunks(header: Uint8Array, record: ArrayRecord): Generator<Uint8Array> {
  yield header;
  yield* encodeNumbers(record);
}

/**
 * The header of an npy file, checked against the size of the file.
 *
 * @param bytes - the first bytes of the file, at least the whole header.
 * @param file - `name` for errors, `sizeBytes` of the whole file.
 * @throws {DataError} as {@link readNpy}.
 */
export function parseNpyHeader(
  bytes: Uint8Array,
  file: { name: string; sizeBytes: number },
): NpyHeader {
  const fail = failure(file.name);
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (head.length < 10 || !head.subarray(0, 6).equals(magic)) {
    throw fail('is not an npy file (it does not begin with \\x93NUMPY)', 'Save it with np.save.');
  }
  const version = head.readUInt8(6);
  if (version < 1 || version > 3) {
    throw fail(`has npy version ${version}, 1 to 3 are known`, 'Save it again with np.save.');
  }
  const start = version === 1 ? 10 : 12;
  if (head.length < start) throw fail('is cut off inside the header', 'Copy the file again.');
  const length = version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
  if (length > maxHeaderBytes || start + length > file.sizeBytes) {
    throw fail(`claims a header of ${length} bytes`, 'Copy the file again; it is damaged.');
  }
  const text = head.toString(version === 3 ? 'utf8' : 'latin1', start, start + length);
  const { type, shape, isFortran } = parseDictionary(text, file.name);
  const count = elementCount(shape);
  const dataOffset = start + length;
  const dataBytes = (count ?? Number.POSITIVE_INFINITY) * itemBytes(type.dtype);
  if (dataBytes !== file.sizeBytes - dataOffset) {
    throw fail(
      `has ${file.sizeBytes - dataOffset} bytes of numbers, its shape [${shape.join(', ')}] of ` +
        `${type.dtype} needs ${dataBytes}`,
      'Copy the file again; it is cut off or damaged.',
    );
  }
  return { type, shape, isFortran, dataOffset, dataBytes };
}

/** The array of an npy file from its header and the bytes of its numbers. */
export function npyRecord(header: NpyHeader, bytes: Uint8Array, name: string): ArrayRecord {
  const { type, shape, isFortran } = header;
  if (type.dtype === 'bool' && bytes.some((byte) => byte > 1)) {
    throw failure(name)('has bool values other than 0 and 1', 'Copy the file again.');
  }
  const data = decodeNumbers(type, bytes);
  return { shape, dtype: type.dtype, data: isFortran ? toRowMajor(data, shape) : data };
}

function failure(name: string) {
  return (what: string, help: string) => new DataError(`${name}: ${what}.`, { file: name, help });
}

function parseDictionary(text: string, name: string) {
  const fail = failure(name);
  const descr = /'descr'\s*:\s*(?:'([^']*)'|(\[))/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shapeText = /'shape'\s*:\s*\(([\d\sL,]*)\)/.exec(text);
  if (!/^\s*\{.*\}\s*$/s.test(text) || descr === null || order === null || shapeText === null) {
    throw fail(`has a header that cannot be read: ${text.slice(0, 80).trim()}`, 'Save it again.');
  }
  const type = descr[1] === undefined ? undefined : parseNumpyType(descr[1]);
  if (type === undefined) {
    throw fail(
      `holds ${descr[1] === undefined ? 'structures' : `'${descr[1]}'`}, not plain numbers`,
      'Save floats, integers or bools: np.save(path, x.astype(np.float32)).',
    );
  }
  const parts = shapeText[1]!.split(',').map((part) => part.trim().replace(/L$/, ''));
  const shape = parts.filter((part) => part !== '').map(Number);
  return { type, shape, isFortran: order[1] === 'True' };
}
