import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError, LabError } from './errors.js';
import { canonicalJson, hashFile, sha256 } from './hash.js';
import { temporaryFolder } from './testing.js';

const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const abcHash = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('hashes', () => {
  it('match the published test vectors', () => {
    expect(sha256('')).toBe(emptyHash);
    expect(sha256('abc')).toBe(abcHash);
    expect(sha256(Uint8Array.of(97, 98, 99))).toBe(abcHash);
  });

  it('are taken of files', async () => {
    const path = join(temporaryFolder(), 'a');
    writeFileSync(path, 'abc');
    expect(await hashFile(path)).toEqual({ path, sha256: abcHash, bytes: 3 });
    await expect(hashFile(`${path}-none`)).rejects.toThrow(DataError);
    await expect(hashFile(`${path}-none`)).rejects.toThrow('no such file');
  });
});

describe('canonicalJson', () => {
  it('sorts keys and leaves out what is undefined', () => {
    const value = { b: [1, { z: null, y: true }], a: 'ü"', c: undefined };
    expect(canonicalJson(value)).toBe('{"a":"ü\\"","b":[1,{"y":true,"z":null}]}');
    expect(canonicalJson([undefined, -0, 1e21])).toBe('[null,0,1e+21]');
  });

  it('writes typed arrays and dates', () => {
    expect(canonicalJson(Float32Array.of(0.5, 1))).toBe('[0.5,1]');
    expect(canonicalJson(new Date(0))).toBe('"1970-01-01T00:00:00.000Z"');
  });

  it('refuses what JSON cannot hold', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const value of [Number.NaN, cycle, () => 1, 1n, undefined, Float32Array.of(Infinity)]) {
      expect(() => canonicalJson(value)).toThrow(LabError);
    }
    const shared = { a: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });
});
