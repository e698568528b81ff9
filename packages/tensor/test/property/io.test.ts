import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '@lab/core';
import { temporaryFolder } from '@lab/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodePickle,
  readNpy,
  readNpz,
  readPickle,
  readSafetensors,
  type WritableArray,
  writeNpy,
  writeSafetensors,
} from '../../src/io.js';

const folder = temporaryFolder();
const fixtures = new URL('../../src/io/__fixtures__/', import.meta.url).pathname;

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const anyArray = shape.chain((lengths): fc.Arbitrary<WritableArray> => {
  const count = lengths.reduce((a, b) => a * b, 1);
  const size = { minLength: count, maxLength: count };
  const data = fc.oneof(
    fc.float32Array(size),
    fc.float64Array(size),
    fc.int8Array(size),
    fc.uint8Array(size),
    fc.int16Array(size),
    fc.uint16Array(size),
    fc.int32Array(size),
    fc.uint32Array(size),
    fc.bigInt64Array(size),
    fc.bigUint64Array(size),
  );
  return data.map((numbers) => ({ shape: lengths, data: numbers }));
});

describe('arrays in files', () => {
  it('come back from npy as they were', async () => {
    const path = join(folder, 'array.npy');
    await fc.assert(
      fc.asyncProperty(anyArray, async (array) => {
        await writeNpy(path, array);
        expect(await readNpy(path)).toMatchObject({ shape: array.shape, data: array.data });
      }),
      { numRuns: 40 },
    );
  });

  it('come back from safetensors as they were', async () => {
    const path = join(folder, 'tensors.safetensors');
    const names = fc.string().filter((name) => name !== '__metadata__');
    const record = fc.uniqueArray(fc.tuple(names, anyArray), { selector: ([name]) => name });
    const texts = fc.dictionary(fc.string(), fc.string());
    await fc.assert(
      fc.asyncProperty(record, texts, async (entries, metadata) => {
        await writeSafetensors(path, Object.fromEntries(entries), metadata);
        const back = await readSafetensors(path);
        expect(Object.keys(back.tensors)).toHaveLength(entries.length);
        for (const [name, array] of entries) {
          expect(back.tensors[name]).toMatchObject({ shape: array.shape, data: array.data });
        }
        expect({ ...back.metadata }).toEqual({ ...metadata });
      }),
      { numRuns: 30 },
    );
  });
});

describe('damaged files', () => {
  /** The reading either works or fails with one of our errors, never otherwise. */
  async function survives(read: Promise<unknown>): Promise<void> {
    try {
      await read;
    } catch (error) {
      expect(LabError.is(error), String(error)).toBe(true);
    }
  }

  const readers: [string, (path: string) => Promise<unknown>][] = [
    ['version1.npy', readNpy],
    ['fortran-big.npy', readNpy],
    ['stored.npz', readNpz],
    ['deflated.npz', readNpz],
    ['tensors.safetensors', readSafetensors],
    ['numpy1-protocol0.pkl', readPickle],
    ['numpy1-protocol2.pkl', readPickle],
    ['numpy2-protocol4.pkl', readPickle],
    ['numpy2-protocol5.pkl', readPickle],
  ];

  it.each(readers)('never surprise: %s', async (name, read) => {
    const { readFileSync } = await import('node:fs');
    const whole = readFileSync(join(fixtures, name));
    const path = join(folder, name);
    const change = fc.record({
      place: fc.nat(whole.length - 1),
      byte: fc.integer({ min: 0, max: 255 }),
      cut: fc.option(fc.nat(whole.length)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        let bytes = Buffer.from(whole);
        for (const { place, byte, cut } of changes) {
          if (place < bytes.length) bytes[place] = byte;
          if (cut !== null) bytes = bytes.subarray(0, cut);
        }
        writeFileSync(path, bytes);
        await survives(read(path));
      }),
      { numRuns: 30 },
    );
  });

  it('never surprise: opcodes at random', async () => {
    const opcodes = Array.from('(.012FIJKLMNPQRSTUVXabcd}eghijlo]pqrst)uGBC', (c) =>
      c.charCodeAt(0),
    );
    const byte = fc.oneof(
      fc.constantFrom(...opcodes),
      fc.integer({ min: 0x80, max: 0x98 }),
      fc.integer({ min: 0, max: 255 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(byte, { maxLength: 40 }), async (bytes) => {
        await survives(decodePickle(Uint8Array.from(bytes)));
      }),
      { numRuns: 500 },
    );
  });
});
