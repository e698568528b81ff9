/**
 * Changed safetensors files, plain and gzipped.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Random } from '@lab/core';
import { openSafetensors, readSafetensors, writeSafetensors } from '@lab/tensor/io';
import { changedBytes } from './change-bytes.js';
import { changedJson, oneOf, otherNumber } from './change-json.js';
import {
  type ChangedFile,
  type ChangeKind,
  claim,
  type FuzzedReader,
  golden,
} from './fuzzed-reader.js';

const FILE = 'model.safetensors';
const SIZES: Readonly<Record<string, number>> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1 },
  ...{ U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
};
const DTYPES = [...Object.keys(SIZES), 'F8_E4M3', 'f32', '', 'F33', 'toString'];

const originals: Buffer[] = [];

/** A file of every type, with empty and scalar tensors. */
async function writeAllTypes(path: string): Promise<void> {
  const floats = Float32Array.of(0, 1, -2.5, 3, 1e-3, 7);
  await writeSafetensors(
    path,
    {
      half: { shape: [2, 3], data: floats, dtype: 'float16' },
      brain: { shape: [3, 2], data: floats, dtype: 'bfloat16' },
      single: { shape: [6], data: floats },
      double: { shape: [1, 6], data: Float64Array.from(floats) },
      empty: { shape: [0, 4], data: new Float32Array(0) },
      scalar: { shape: [], data: Int32Array.of(7) },
      long: { shape: [2], data: BigInt64Array.of(-1n, 2n) },
      bytes: { shape: [5], data: Uint8Array.of(1, 2, 3, 4, 5) },
      flags: { shape: [3], data: Uint8Array.of(0, 1, 1), dtype: 'bool' },
    },
    { format: 'pt', note: 'every type' },
  );
}

interface Entry {
  dtype: unknown;
  shape: unknown[];
  data_offsets: unknown[];
}

/** One change of a number, type or place of a tensor. */
function changeEntry(
  random: Random,
  header: Record<string, unknown>,
  raw: (text: string) => string,
) {
  const names = Object.keys(header).filter((name) => name !== '__metadata__');
  const entry = header[oneOf(random, names)] as Entry;
  const second = header[oneOf(random, names)] as Entry;
  const { shape, data_offsets: offsets } = entry;
  const at = random.integer(2);
  const axis = random.integer(Math.max(shape.length, 1));
  const changes: readonly (() => void)[] = [
    () => (offsets[at] = raw(otherNumber(random, Number(offsets[at])))),
    () => offsets.reverse(),
    () => (entry.data_offsets = [...second.data_offsets]),
    () => ([entry.data_offsets, second.data_offsets] = [second.data_offsets, offsets]),
    () => (entry.data_offsets = offsets.map((one) => Number(one) + 4)),
    () => (shape[axis] = raw(otherNumber(random, Number(shape[axis] ?? 1)))),
    () => shape.push(oneOf(random, [0, 1, 2, -1, 2 ** 31, 2 ** 52])),
    () => shape.pop(),
    () => shape.reverse(),
    () => (entry.shape = [2 ** 31, 2 ** 31, 4, 0]),
    () => (entry.shape = [-2, -3]),
    () => (entry.dtype = oneOf(random, DTYPES)),
    () => (entry.dtype = second.dtype),
  ];
  oneOf(random, changes)();
}

function lengthOf(random: Random, length: number, sizeBytes: number): bigint {
  return oneOf(random, [
    ...[0n, 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 100_000_001n],
    ...[length + 1, length - 1, length + 8, length - 8, sizeBytes, sizeBytes - 8].map((one) =>
      BigInt(Math.max(one, 0)),
    ),
  ]);
}

function structured(random: Random, file: Buffer): Buffer {
  const length = Number(file.readBigUInt64LE(0));
  const text = file.toString('utf8', 8, 8 + length);
  const isEntry = random.uniform() < 0.7;
  const changed = isEntry
    ? changedJson(random, text, (header, raw) => changeEntry(random, header, raw))
    : changedJson(random, text);
  const header = Buffer.from(changed);
  const prefix = Buffer.alloc(8);
  const isOther = random.uniform() < 0.15;
  const size = 8 + header.length + file.length - 8 - length;
  prefix.writeBigUInt64LE(isOther ? lengthOf(random, header.length, size) : BigInt(header.length));
  const whole = Buffer.concat([prefix, header, file.subarray(8 + length)]);
  const isCut = random.uniform() < 0.05;
  return isCut ? whole.subarray(0, random.integer(whole.length + 1)) : whole;
}

function change(random: Random, kind: ChangeKind): ChangedFile {
  const file = oneOf(random, originals);
  const focus = 8 + Number(file.readBigUInt64LE(0));
  const isPacked = random.uniform() < 0.1;
  const bytes = kind === 'structure' ? structured(random, file) : changedBytes(random, file, focus);
  if (!isPacked) return { base: '.', name: FILE, bytes };
  const packed = gzipSync(bytes, { level: 1 });
  return { base: '.', name: FILE, bytes: changedBytes(random, packed, 20) };
}

/** Compares every tensor with the bytes that the file's own header gives it. */
async function checkTensors(path: string, content: Uint8Array): Promise<void> {
  const file = openSafetensors(path);
  try {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    const begin = 8 + Number(bytes.readBigUInt64LE(0));
    const { __metadata__: metadata, ...listed } = JSON.parse(
      bytes.toString('utf8', 8, begin),
    ) as Record<string, unknown>;
    claim(Object.keys(listed).length === file.entries.size, () => 'count of tensors');
    claim(JSON.stringify(metadata ?? {}) === JSON.stringify(file.metadata), () => 'metadata');
    for (const [name, value] of Object.entries(listed)) {
      const { dtype, shape, data_offsets: offsets } = value as Entry;
      const [from, to] = [begin + Number(offsets[0]), begin + Number(offsets[1])];
      claim(from >= begin && to >= from && to <= bytes.length, () => `place of ${name}`);
      const count = shape.reduce((product: number, one) => product * Number(one), 1);
      claim(to - from === count * SIZES[String(dtype)]!, () => `bytes of ${name}`);
      const stored = await file.readBytes(name);
      claim(bytes.subarray(from, to).equals(stored), () => `content of ${name}`);
      const record = await file.read(name);
      claim(record.data.length === count, () => `numbers of ${name}`);
      claim(record.shape.join() === shape.join(), () => `shape of ${name}`);
    }
  } finally {
    file.close();
  }
}

/** Safetensors: single tensors of plain files, whole files of both kinds. */
export const safetensorsReader: FuzzedReader = {
  setUp: async (folder) => {
    mkdirSync(folder, { recursive: true });
    const all = join(folder, 'all-types.safetensors');
    await writeAllTypes(all);
    // Half of the cases are of the small file with every type.
    const models = readdirSync(join(golden, 'checkpoints')).filter((name) => !name.includes('.'));
    const paths = models.slice(0, 6).map((name) => join(golden, 'checkpoints', name, FILE));
    originals.length = 0;
    originals.push(...paths.flatMap((path) => [readFileSync(path), readFileSync(all)]));
  },
  change,
  check: async (folder, { bytes }) => {
    const path = join(folder, FILE);
    const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
    if (!isPacked) await checkTensors(path, bytes);
    const { tensors } = await readSafetensors(path);
    const content = isPacked ? gunzipSync(bytes) : Buffer.from(bytes);
    const begin = 8 + Number(content.readBigUInt64LE(0));
    const total = Object.values(tensors).reduce((sum, { shape }) => {
      return sum + shape.reduce((product, one) => product * one, 1);
    }, 0);
    claim(total <= content.length - begin, () => 'numbers of all tensors');
  },
};
