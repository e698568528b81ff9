/**
 * Types of tensors in GGUF files: how many numbers lie together in how many bytes.
 *
 * Source: ggml, `ggml.h` (enum ggml_type) and `ggml-common.h` (layouts of blocks).
 */
import type { StoredDtype } from '../weights/stored-numbers.js';
import {
  type BlockDecoder,
  decodeQ4_0,
  decodeQ4_1,
  decodeQ5_0,
  decodeQ5_1,
  decodeQ8_0,
} from './small-blocks.js';
import { decodeQ2K, decodeQ3K, decodeQ4K, decodeQ5K, decodeQ6K } from './super-blocks.js';

/** A type of tensors. */
export interface TensorType {
  readonly id: number;
  /** As llama.cpp calls it, such as `Q4_K`. */
  readonly name: string;
  /** Numbers of a block, which lie in one row. */
  readonly blockLength: number;
  readonly blockBytes: number;
  /** What the numbers are as they are stored, or what reads them; null where they are not read. */
  readonly read: StoredDtype | BlockDecoder | null;
}

type Row = readonly [id: number, name: string, length: number, bytes: number];

const rows: readonly Row[] = [
  ...([
    [0, 'F32', 1, 4],
    [1, 'F16', 1, 2],
    [2, 'Q4_0', 32, 18],
  ] as const),
  ...([
    [3, 'Q4_1', 32, 20],
    [6, 'Q5_0', 32, 22],
    [7, 'Q5_1', 32, 24],
  ] as const),
  ...([
    [8, 'Q8_0', 32, 34],
    [9, 'Q8_1', 32, 36],
    [10, 'Q2_K', 256, 84],
  ] as const),
  ...([
    [11, 'Q3_K', 256, 110],
    [12, 'Q4_K', 256, 144],
    [13, 'Q5_K', 256, 176],
  ] as const),
  ...([
    [14, 'Q6_K', 256, 210],
    [15, 'Q8_K', 256, 292],
    [16, 'IQ2_XXS', 256, 66],
  ] as const),
  ...([
    [17, 'IQ2_XS', 256, 74],
    [18, 'IQ3_XXS', 256, 98],
    [19, 'IQ1_S', 256, 50],
  ] as const),
  ...([
    [20, 'IQ4_NL', 32, 18],
    [21, 'IQ3_S', 256, 110],
    [22, 'IQ2_S', 256, 82],
  ] as const),
  ...([
    [23, 'IQ4_XS', 256, 136],
    [24, 'I8', 1, 1],
    [25, 'I16', 1, 2],
  ] as const),
  ...([
    [26, 'I32', 1, 4],
    [27, 'I64', 1, 8],
    [28, 'F64', 1, 8],
  ] as const),
  ...([
    [29, 'IQ1_M', 256, 56],
    [30, 'BF16', 1, 2],
    [34, 'TQ1_0', 256, 54],
  ] as const),
  ...([
    [35, 'TQ2_0', 256, 66],
    [39, 'MXFP4', 32, 17],
  ] as const),
];

const readers: Readonly<Record<string, StoredDtype | BlockDecoder>> = {
  ...{ F32: 'float32', F16: 'float16', BF16: 'bfloat16' },
  ...{ Q4_0: decodeQ4_0, Q4_1: decodeQ4_1, Q5_0: decodeQ5_0, Q5_1: decodeQ5_1 },
  ...{ Q8_0: decodeQ8_0, Q2_K: decodeQ2K, Q3_K: decodeQ3K },
  ...{ Q4_K: decodeQ4K, Q5_K: decodeQ5K, Q6_K: decodeQ6K },
};

const types: ReadonlyMap<number, TensorType> = new Map(
  rows.map(([id, name, blockLength, blockBytes]) => {
    return [id, { id, name, blockLength, blockBytes, read: readers[name] ?? null }];
  }),
);

/** The type of a number in a file; undefined where none is known. */
export const tensorType = (id: number): TensorType | undefined => types.get(id);

/** The type of a name. */
export const tensorTypeNamed = (name: string): TensorType =>
  [...types.values()].find((type) => type.name === name)!;

/** Types whose numbers are read. */
export const readableTypes: readonly string[] = Object.keys(readers);

/** Bytes of rows of numbers. */
export const bytesOfNumbers = ({ blockLength, blockBytes }: TensorType, count: number): number =>
  (count / blockLength) * blockBytes;
