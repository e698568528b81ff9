/**
 * Changed indices of shards.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '@lab/core';
import { readSafetensors, writeSafetensors } from '@lab/tensor/io';
import { openCheckpoint } from '../../src/weights/checkpoint.js';
import { changedBytes } from './change-bytes.js';
import { changedJson, oneOf } from './change-json.js';
import { claim, type FuzzedReader, golden, jsonOf } from './fuzzed-reader.js';

const FILE = 'model.safetensors.index.json';
const SHARDS = ['model-1-of-3.safetensors', 'model-2-of-3.safetensors', 'model-3-of-3.safetensors'];
const NAMES = [
  ...[
    ...SHARDS,
    '',
    '.',
    '..',
    'config.json',
    FILE,
    'other',
    'a\u0000b',
    'model-4-of-3.safetensors',
  ],
  ...['../model-1-of-3.safetensors', '/etc/passwd', 'folder', '..\\a', `${'x'.repeat(300)}`],
  ...['model-1-of-3.safetensors ', './model-1-of-3.safetensors', '\ud800', 'twins.safetensors'],
];

/** Values of every weight, by its file; `twins` holds two of them once more, with others. */
const stored = new Map<string, ReadonlyMap<string, Float32Array>>();
let original = '';

async function writeShards(folder: string): Promise<void> {
  mkdirSync(join(folder, 'folder'), { recursive: true });
  writeFileSync(join(folder, 'config.json'), '{}');
  const path = join(golden, 'checkpoints/llama-linear/model.safetensors');
  const all = Object.entries((await readSafetensors(path)).tensors).slice(0, 9);
  const map: Record<string, string> = {};
  stored.clear();
  const write = async (name: string, some: typeof all) => {
    await writeSafetensors(join(folder, name), Object.fromEntries(some));
    stored.set(name, new Map(some.map(([own, { data }]) => [own, data as Float32Array])));
  };
  for (const [at, shard] of SHARDS.entries()) {
    const some = all.filter((_, index) => index % 3 === at);
    await write(shard, some);
    for (const [name] of some) map[name] = shard;
  }
  const twins = all.slice(0, 2).map(([name, one]) => {
    return [name, { ...one, data: one.data.map(() => 9 as never) }] as (typeof all)[number];
  });
  await write('twins.safetensors', twins);
  original = JSON.stringify({ metadata: { total_size: 51_000 }, weight_map: map });
}

function changeMap(random: Random, index: Record<string, unknown>): void {
  const map = index['weight_map'] as Record<string, string>;
  const count = 1 + random.integer(2);
  for (let at = 0; at < count; at += 1) {
    map[oneOf(random, [...Object.keys(map), 'extra'])] = oneOf(random, NAMES);
  }
}

/** An index of three shards, beside which stand other files and a folder. */
export const indexReader: FuzzedReader = {
  setUp: writeShards,
  change: (random, kind) => {
    const isMap = random.uniform() < 0.5;
    const bytes =
      kind === 'structure'
        ? Buffer.from(
            isMap
              ? changedJson(random, original, (index) => changeMap(random, index))
              : changedJson(random, original),
          )
        : changedBytes(random, Buffer.from(original), 0);
    return { base: '.', name: FILE, bytes };
  },
  check: async (folder, { bytes }) => {
    const checkpoint = openCheckpoint(folder);
    try {
      const index = jsonOf(bytes);
      const map = index['weight_map'] as Record<string, string>;
      for (const [name, file] of Object.entries(map)) {
        const wanted = stored.get(file)?.get(name);
        claim(wanted !== undefined, () => `${name} is not in ${file}`);
        const found = await checkpoint.read(name);
        claim(Buffer.compare(bytesOf(found), bytesOf(wanted!)) === 0, () => `values of ${name}`);
      }
      const files = new Set(Object.values(map));
      for (const name of checkpoint.weights.keys()) {
        const isThere = [...files].some((file) => stored.get(file)?.has(name));
        claim(isThere, () => `${name} comes from nowhere`);
      }
    } finally {
      checkpoint.close();
    }
  },
};

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);
