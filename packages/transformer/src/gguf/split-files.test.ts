import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LabError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../model-config.js';
import { checkpointFolder } from '../weights/checkpoint-folder.js';
import { openCheckpoint } from '../weights/checkpoint.js';
import { ggufBytes, llamaMetadata, llamaTensors, type Tensors } from './__fixtures__/gguf-bytes.js';
import type { MetadataValue } from './metadata-values.js';
import { u32 } from './metadata-of-model.js';

type Metadata = Readonly<Record<string, MetadataValue>>;

const u16 = (value: number): MetadataValue => ({ type: 'uint16', value });
const names = Object.keys(llamaTensors);
const COUNT = 3;

/** What the file of a place has. */
interface Part {
  readonly metadata?: Metadata;
  readonly tensors?: readonly string[];
  readonly name?: string;
}

/** A folder with the files of a small Llama, some of them changed, or left out for null. */
async function folderOf(changes: Readonly<Record<number, Part | null>> = {}): Promise<string> {
  const folder = temporaryFolder();
  for (let at = 0; at < COUNT; at += 1) {
    const change = changes[at];
    if (change === null) continue;
    const own = change?.tensors ?? names.filter((_, index) => index % COUNT === at);
    const tensors: Tensors = Object.fromEntries(own.map((one) => [one, llamaTensors[one]!]));
    const split = {
      ...{ 'split.no': u16(at), 'split.count': u16(COUNT) },
      'split.tensors.count': { type: 'int32', value: names.length } as const,
    };
    const metadata = { ...(at === 0 ? llamaMetadata : {}), ...split, ...change?.metadata };
    const name = change?.name ?? `tiny-0000${at + 1}-of-0000${COUNT}.gguf`;
    writeFileSync(join(folder, name), await ggufBytes(metadata, tensors));
  }
  return folder;
}

/** The error of opening a model by its first file. */
async function refusal(changes: Readonly<Record<number, Part | null>>): Promise<string> {
  const folder = await folderOf(changes);
  const file = join(folder, changes[0]?.name ?? 'tiny-00001-of-00003.gguf');
  try {
    openCheckpoint(file).close();
  } catch (error) {
    if (!LabError.is(error)) throw error;
    expect(error.message).toContain(folder);
    expect(error.help).toBeTruthy();
    return error.message;
  }
  return 'nothing is refused';
}

describe('a model in several files', () => {
  it('is one checkpoint, by its folder or any of its files', async () => {
    const folder = await folderOf();
    expect(basename(checkpointFolder(folder))).toBe('tiny-00001-of-00003.gguf');
    for (const number of [1, 2, 3]) {
      const file = join(folder, `tiny-0000${number}-of-00003.gguf`);
      expect(readModelConfig(file).architecture).toMatchObject({ layerCount: 1, width: 32 });
      const checkpoint = openCheckpoint(file);
      expect(checkpoint.weights.size).toBe(names.length);
      for (const [name, { shape }] of checkpoint.weights) {
        const count = shape.reduce((product, length) => product * length, 1);
        expect((await checkpoint.read(name)).length).toBe(count);
      }
      checkpoint.close();
    }
  });

  it.each<[string, Readonly<Record<number, Part | null>>, string]>([
    [
      'a file that is not there',
      { 1: null },
      '1 of 3 files of this model are not there: tiny-0000',
    ],
    ['another name', { 0: { name: 'tiny.gguf' } }, 'is one of 3 files of a model (split.count)'],
    [
      'a name with another count',
      { 0: { name: 'tiny-00001-of-00004.gguf' } },
      'is one of 3 files of a model (split.count)',
    ],
    ['a file in the place of another', { 2: { metadata: { 'split.no': u16(1) } } }, 'split.no 1'],
    ['a file of another model', { 1: { metadata: { 'split.count': u16(2) } } }, 'split.count 2'],
    ['a whole model among them', { 1: { metadata: { 'split.count': u16(0) } } }, 'split.count 0'],
    ['a tensor twice', { 1: { tensors: names.slice(0, 4) } }, 'as an earlier file has'],
    ['a tensor too few', { 1: { tensors: [] } }, 'tensors, not 12 (split.tensors.count)'],
    ['a key of another type', { 0: { metadata: { 'split.count': u32(3) } } }, 'nothing is refused'],
  ])('refuses %s', async (_, changes, message) => {
    expect(await refusal(changes)).toContain(message);
  });
});
