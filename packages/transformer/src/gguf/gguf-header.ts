/**
 * What stands at the begin of a GGUF file: metadata, and where its tensors are.
 *
 * Source: ggml, `docs/gguf.md` and `gguf.cpp`.
 */
import { DataError, ModelError } from '@lab/core';
import { assertNoLfsPointer, type FileSource } from '@lab/tensor/io';
import { ByteReader } from './byte-reader.js';
import { type MetadataValue, readValue } from './metadata-values.js';
import { bytesOfNumbers, type TensorType, tensorType } from './tensor-types.js';

/** A tensor of a file. */
export interface GgufTensor {
  readonly name: string;
  readonly type: TensorType;
  /** Rows first, as everywhere here; the file has it the other way round. */
  readonly shape: readonly number[];
  /** First byte in the file. */
  readonly begin: number;
  readonly sizeBytes: number;
}

/** Metadata and tensors of a file, by their names. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/** `GGUF`. */
export const MAGIC = 0x46554747;
/** Where a file does not say otherwise, tensors begin at multiples of so many bytes. */
export const ALIGNMENT = 32;
export const ALIGNMENT_KEY = 'general.alignment';

const MOST_KEY_BYTES = 65_535;
const MOST_NAME_BYTES = 64;
const MOST_AXES = 4;
const MOST_ALIGNMENT = 2 ** 30;
/** A key of a byte would have 8 for its length, 4 for its type and one for its value. */
const LEAST_ENTRY_BYTES = 13;
/** A tensor has a length of its name, a number of axes, a type and a place. */
const LEAST_TENSOR_BYTES = 24;

/**
 * Reads the header of a file.
 *
 * @throws {DataError} for a file that is damaged, saying where.
 * @throws {ModelError} for a version or type that is not read.
 */
export function readGgufHeader(source: FileSource): GgufHeader {
  const begin = Buffer.alloc(Math.min(source.sizeBytes, 9));
  source.read(begin, 0);
  assertNoLfsPointer(source.path, begin);
  const reader = new ByteReader(source);
  assertVersion(reader);
  const [tensorCount, entryCount] = [reader.count(), reader.count()];
  reader.assertRoom(tensorCount, LEAST_TENSOR_BYTES, 'tensors');
  reader.assertRoom(entryCount, LEAST_ENTRY_BYTES, 'keys');
  const metadata = readMetadata(reader, entryCount);
  const alignment = alignmentOf(metadata, reader);
  const listed: PlacedTensor[] = [];
  for (let at = 0; at < tensorCount; at += 1) {
    reader.what = `tensor ${at + 1} of ${tensorCount}`;
    listed.push(readTensor(reader, alignment));
  }
  const dataBegin = Math.ceil(reader.position / alignment) * alignment;
  return { metadata, tensors: placedTensors(listed, dataBegin, source) };
}

function assertVersion(reader: ByteReader): void {
  const { path } = reader;
  const magic = reader.rest < 8 ? 0 : reader.u32();
  if (magic !== MAGIC) {
    throw new DataError(`${path}: is no GGUF file: it does not begin with "GGUF".`, {
      file: path,
      help: 'Name a file *.gguf, or a folder of a Hugging Face checkpoint.',
    });
  }
  const version = reader.u32();
  if (version === 2 || version === 3) return;
  const isBig = version !== 0 && version % 65_536 === 0;
  throw new ModelError(
    isBig
      ? `${path}: is a big-endian GGUF file, which is not read.`
      : `${path}: is GGUF of version ${version}; versions 2 and 3 are read.`,
    {
      help: isBig
        ? 'Convert it to little-endian: gguf_convert_endian.py of llama.cpp.'
        : 'Convert the model again with a present llama.cpp.',
    },
  );
}

function readMetadata(reader: ByteReader, count: number): Map<string, MetadataValue> {
  const metadata = new Map<string, MetadataValue>();
  for (let at = 0; at < count; at += 1) {
    reader.what = `key ${at + 1} of ${count}`;
    const key = reader.text(MOST_KEY_BYTES);
    if (metadata.has(key)) throw reader.wrong(`is ${key} once more`);
    reader.what = key === '' ? reader.what : key;
    metadata.set(key, readValue(reader));
  }
  return metadata;
}

function alignmentOf(metadata: ReadonlyMap<string, MetadataValue>, reader: ByteReader): number {
  const entry = metadata.get(ALIGNMENT_KEY);
  if (entry === undefined) return ALIGNMENT;
  const own = entry.type === 'uint32' ? Number(entry.value) : 0;
  if (own > 0 && own <= MOST_ALIGNMENT && Number.isInteger(Math.log2(own))) return own;
  reader.what = ALIGNMENT_KEY;
  throw reader.wrong(
    entry.type === 'uint32' ? `must be a power of two, got ${own}` : 'must be of type uint32',
  );
}

/** A tensor with its place behind the begin of all data. */
interface PlacedTensor extends Omit<GgufTensor, 'begin'> {
  readonly offset: number;
}

function readTensor(reader: ByteReader, alignment: number): PlacedTensor {
  const name = reader.text(MOST_NAME_BYTES);
  reader.what = `tensor ${name}`;
  const axes = reader.u32();
  if (axes > MOST_AXES) throw reader.wrong(`has ${axes} axes, more than ${MOST_AXES}`);
  const lengths = Array.from({ length: axes }, () => reader.count());
  const id = reader.u32();
  const type = tensorType(id);
  if (type === undefined) {
    throw new ModelError(`${reader.path}: tensor ${name} has the type ${id}, which is not known.`, {
      help: 'Take a file in F16, Q8_0 or Q4_K_M.',
    });
  }
  const offset = reader.count();
  if (offset % alignment !== 0) {
    throw reader.wrong(`begins at ${offset}, no multiple of the alignment ${alignment}`);
  }
  const count = lengths.reduce((product, length) => product * length, 1);
  const shown = `[${lengths.join(', ')}]`;
  if (!Number.isSafeInteger(count) || count === 0) {
    throw reader.wrong(`has the shape ${shown}, which no numbers fit`);
  }
  if ((lengths[0] ?? 1) % type.blockLength !== 0) {
    throw reader.wrong(
      `has the shape ${shown}; rows of ${type.name} have whole blocks of ${type.blockLength}`,
    );
  }
  const sizeBytes = bytesOfNumbers(type, count);
  return { name, type, shape: lengths.toReversed(), offset, sizeBytes };
}

/** Tensors with their places in the file, which must lie in it and beside each other. */
function placedTensors(
  listed: readonly PlacedTensor[],
  dataBegin: number,
  { path, sizeBytes: fileBytes }: FileSource,
): Map<string, GgufTensor> {
  const wrong = (problem: string) =>
    new DataError(`${path}: ${problem}.`, {
      file: path,
      help: 'Copy or download the file again; it is cut off or damaged.',
    });
  const tensors = new Map<string, GgufTensor>();
  for (const { offset, ...tensor } of listed) {
    const { name, sizeBytes } = tensor;
    const begin = dataBegin + offset;
    if (tensors.has(name)) throw wrong(`tensor ${name} is there twice`);
    if (begin + sizeBytes > fileBytes) {
      throw wrong(
        `tensor ${name} ends at byte ${begin + sizeBytes}, the file has ${fileBytes} bytes`,
      );
    }
    tensors.set(name, { ...tensor, begin });
  }
  const ordered = [...tensors.values()].toSorted((a, b) => a.begin - b.begin);
  for (const [at, { name, begin }] of ordered.entries()) {
    const before = ordered[at - 1];
    if (before !== undefined && before.begin + before.sizeBytes > begin) {
      throw wrong(
        `tensor ${name} begins at byte ${begin}, where ${before.name} has bytes until ` +
          `${before.begin + before.sizeBytes}`,
      );
    }
  }
  return tensors;
}
