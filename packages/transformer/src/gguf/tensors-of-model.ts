/**
 * Weights of a Hugging Face checkpoint as tensors of a GGUF file.
 */
import { ModelError } from '@lab/core';
import { encodeNumbers } from '@lab/tensor/io';
import type { FamilyModel } from '../families/family.js';
import type { Checkpoint } from '../weights/checkpoint.js';
import { floatsOf, type StoredNumbers } from '../weights/stored-numbers.js';
import { encodeQ8_0 } from './small-blocks.js';
import type { NamedWeight } from './tensor-names.js';
import { type TensorType, tensorTypeNamed } from './tensor-types.js';
import { toGgufLayout } from './weight-layout.js';
import type { WritableTensor } from './write-gguf.js';

/** Types that are written. */
export const GGUF_TYPES = ['f32', 'f16', 'bf16', 'q8_0'] as const;

/** A type that is written. */
export type GgufType = (typeof GGUF_TYPES)[number];

/** Where weights come from. */
export interface WeightSource {
  readonly checkpoint: Checkpoint;
  readonly model: FamilyModel;
  /** Name in the files of each weight. */
  readonly names: ReadonlyMap<string, string>;
  readonly hasPairedRows: boolean;
}

/** Numbers that are read and written at once, where they need not be moved. */
const STRIP = 1 << 22;

/** Rows are in F16 where they are not of whole blocks, as llama.cpp's converter has it. */
export function typeOfTensor({ ggufName, shape }: NamedWeight, type: GgufType): TensorType {
  const isSmall = shape.length < 2 || ggufName.startsWith('position_embd');
  const wanted = tensorTypeNamed(isSmall ? 'F32' : type.toUpperCase());
  return shape.at(-1)! % wanted.blockLength === 0 ? wanted : tensorTypeNamed('F16');
}

/** A weight as it will be written. */
export function writableTensor(
  source: WeightSource,
  weight: NamedWeight,
  type: TensorType,
): WritableTensor {
  const { checkpoint, model, names } = source;
  const name = names.get(weight.name)!;
  const change = toGgufLayout(model, weight, source.hasPairedRows);
  const encode = (numbers: StoredNumbers) =>
    encoded(numbers, type, `${checkpoint.folder}: ${name}`);
  const [rows, columns] = weight.shape as [number, number | undefined];
  const step = Math.max(Math.floor(STRIP / (columns ?? 1)), 1);
  async function* parts(): AsyncGenerator<Uint8Array> {
    if (change !== null || columns === undefined) {
      const numbers = await checkpoint.readStored(name);
      yield encode(change === null ? numbers : change(numbers));
      return;
    }
    for (let start = 0; start < rows; start += step) {
      const count = Math.min(step, rows - start);
      yield encode(await checkpoint.readStored(name, { start, count }));
    }
  }
  return { name: weight.ggufName, type, shape: writtenShape(weight, model), parts };
}

/** Matrices whose inputs are rows are turned. */
function writtenShape({ ggufName, shape }: NamedWeight, { weights }: FamilyModel) {
  const isTurned = weights.isInputMajor && shape.length === 2 && ggufName.startsWith('blk.');
  return isTurned ? shape.toReversed() : shape;
}

/** Largest numbers of a type. */
const limits: Readonly<Record<string, number>> = {
  ...{ F32: Infinity, BF16: Infinity, F16: 65_519.99, Q8_0: 127 * 65_519.99 },
};

/** The bytes of numbers. */
function encoded(numbers: StoredNumbers, type: TensorType, where: string): Uint8Array {
  const { dtype, values } = numbers;
  const isSame = type.read === dtype;
  if (isSame) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const floats = floatsOf(numbers);
  const limit = limits[type.name]!;
  const wrong = floats.find((value) => !(Math.abs(value) < limit));
  if (wrong !== undefined && limit < Infinity) {
    throw new ModelError(`${where} has the number ${wrong}, which ${type.name} cannot hold.`, {
      help: 'Write another type: --type bf16 or --type f32.',
    });
  }
  if (type.name === 'Q8_0') return encodeQ8_0(floats);
  if (typeof type.read !== 'string') throw new Error(`numbers are not written as ${type.name}`);
  const record = { dtype: type.read, shape: [floats.length], data: floats };
  return Buffer.concat([...encodeNumbers(record)]);
}

/** A tensor of one axis in F32. */
export const rowTensor = (name: string, row: readonly number[]): WritableTensor => ({
  name,
  type: tensorTypeNamed('F32'),
  shape: [row.length],
  async *parts() {
    yield new Uint8Array(Float32Array.from(row).buffer);
  },
});
