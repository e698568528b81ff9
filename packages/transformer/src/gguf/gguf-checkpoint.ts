/**
 * The weights of a GGUF file under the names that its family has for them.
 */
import { ModelError } from '@lab/core';
import type { FamilyModel } from '../families/family.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import {
  floatsOf,
  type RowRun,
  type StoredNumbers,
  storedNumbers,
} from '../weights/stored-numbers.js';
import { architectureOf } from './gguf-config.js';
import { type GgufFile, openGguf } from './gguf-file.js';
import type { GgufTensor } from './gguf-header.js';
import { halvedRows, turningHeadWidth } from './paired-rows.js';
import { factorTensors } from './rotary-metadata.js';
import { namedWeights } from './tensor-names.js';
import { readableTypes, type TensorType } from './tensor-types.js';

/** A weight: its tensor, and how many rows make a head, where their order is another one. */
interface Place {
  readonly tensor: GgufTensor;
  readonly headWidth: number | null;
}

/** Bytes of a tensor: all, or those of some rows. */
type ReadBytes = (tensor: GgufTensor, rows?: RowRun) => Promise<Uint8Array>;

/**
 * Opens the weights of a GGUF file; only its header is read.
 *
 * @param model - what the file's metadata describe.
 * @throws {ModelError} for a type that is not read, and where tensors are missing or not known.
 */
export function openGgufCheckpoint(path: string, model: FamilyModel): Checkpoint {
  const gguf = openGguf(path);
  try {
    const places = placesOf(gguf, model);
    assertReadable(gguf);
    return checkpointOf(gguf, places, (tensor, rows) => gguf.readBytes(tensor.name, rows));
  } catch (error) {
    gguf.close();
    throw error;
  }
}

/** The tensor of each weight. */
function placesOf(gguf: GgufFile, model: FamilyModel): ReadonlyMap<string, Place> {
  const hasPairs = architectureOf(gguf).architecture.hasPairedRows === true;
  const [places, missing] = [new Map<string, Place>(), new Array<string>()];
  const rest = new Set(gguf.tensors.keys());
  for (const name of factorTensors) rest.delete(name);
  for (const { name, ggufName, isOptional } of namedWeights(model)) {
    const tensor = gguf.tensors.get(ggufName);
    rest.delete(ggufName);
    if (tensor !== undefined) {
      places.set(name, { tensor, headWidth: hasPairs ? turningHeadWidth(model, name) : null });
    } else if (!isOptional) missing.push(ggufName);
  }
  if (missing.length === 0 && rest.size === 0) return places;
  const listed = (what: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [
          `${names.length} ${what}: ${names.slice(0, 5).join(', ')}` +
            `${names.length > 5 ? ' ...' : ''}`,
        ];
  const problems = [...listed('missing', missing), ...listed('not known', [...rest])];
  throw new ModelError(`${gguf.path}: tensors do not fit the metadata: ${problems.join('; ')}.`, {
    help: 'Convert the model again with a present llama.cpp.',
  });
}

function assertReadable({ path, tensors }: GgufFile): void {
  const others = [...tensors.values()].filter(({ type }) => type.read === null);
  const [first] = others;
  if (first === undefined) return;
  const more = others.length === 1 ? '' : `, and ${others.length - 1} more are not read either`;
  throw new ModelError(`${path}: tensor ${first.name} is of type ${first.type.name}${more}.`, {
    help: `Types that are read: ${readableTypes.join(', ')}. Take the model in one of them.`,
  });
}

/** Name of a type: that of its numbers, where they are stored as they are. */
const dtypeOf = ({ read, name }: TensorType): string =>
  typeof read === 'string' ? read : name.toLowerCase();

function checkpointOf(
  gguf: GgufFile,
  places: ReadonlyMap<string, Place>,
  readBytes: ReadBytes,
): Checkpoint {
  const { path } = gguf;
  const placeOf = (name: string): Place => {
    const place = places.get(name);
    if (place !== undefined) return place;
    throw new ModelError(`${path}: has no weight ${name}.`, { help: 'Take a whole file.' });
  };
  const weights: Checkpoint['weights'] = new Map(
    [...places].map(([name, { tensor }]) => {
      const { shape, type, sizeBytes } = tensor;
      return [name, { shape, dtype: dtypeOf(type), sizeBytes }];
    }),
  );
  const tensors = [...places.values()].map(({ tensor }) => tensor);
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);
  const readStored = async (name: string, rows?: RowRun): Promise<StoredNumbers> => {
    const { tensor, headWidth } = placeOf(name);
    if (headWidth === null) return numbersOf(tensor.type, await readBytes(tensor, rows));
    const all = numbersOf(tensor.type, await readBytes(tensor));
    const values = halvedRows(all.values, tensor.shape[0]!, headWidth);
    if (rows === undefined) return { ...all, values };
    const size = values.length / tensor.shape[0]!;
    const [begin, end] = [rows.start * size, (rows.start + rows.count) * size];
    return { ...all, values: values.subarray(begin, end) };
  };
  return {
    ...{ folder: path, weights, readStored },
    parameterCount: sum(tensors.map(({ shape }) => shape.reduce((all, size) => all * size, 1))),
    sizeBytes: sum(tensors.map(({ sizeBytes }) => sizeBytes)),
    read: async (name) => floatsOf(await readStored(name)),
    readInto: async (name, target) => {
      const { tensor, headWidth } = placeOf(name);
      await gguf.readInto(tensor.name, target);
      if (headWidth !== null) target.set(halvedRows(target, tensor.shape[0]!, headWidth));
    },
    held: () => ({ ...checkpointOf(gguf, places, heldBytes(readBytes)), readInto: null }),
    close: () => gguf.close(),
  };
}

/** Numbers of stored bytes; those of blocks become float32. */
function numbersOf(
  { read, blockLength, blockBytes }: TensorType,
  bytes: Uint8Array,
): StoredNumbers {
  if (typeof read === 'string') return storedNumbers(read, bytes);
  const values = new Float32Array((bytes.length / blockBytes) * blockLength);
  read!(bytes, values);
  return { dtype: 'float32', values };
}

/** Bytes that, once read, stay in memory. */
function heldBytes(readBytes: ReadBytes): ReadBytes {
  const held = new Map<string, Promise<Uint8Array>>();
  const all = (tensor: GgufTensor) => {
    const known = held.get(tensor.name);
    if (known !== undefined) return known;
    const own = readBytes(tensor);
    held.set(tensor.name, own);
    // A read that failed may succeed another time.
    own.catch(() => held.delete(tensor.name));
    return own;
  };
  return async (tensor, rows) => {
    const bytes = await all(tensor);
    if (rows === undefined) return bytes;
    const { shape, sizeBytes } = tensor;
    const rowBytes = sizeBytes / shape.slice(0, -1).reduce((count, size) => count * size, 1);
    return bytes.subarray(rows.start * rowBytes, (rows.start + rows.count) * rowBytes);
  };
}
