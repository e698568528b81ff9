import { sha256 } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { Column, idKey, keyOf, KeyTable } from './key-table.js';

describe('keyOf', () => {
  it('is the start of a digest, or of the digest of any other text', () => {
    const hex = '0123456789abcdef0123456789abcdef';
    expect([...keyOf(hex, 4)]).toEqual([0x01234567, 0x89abcdef, 0x01234567, 0x89abcdef]);
    expect([...keyOf('any', 2)]).toEqual([...keyOf(sha256('any'), 2)]);
    // An id may look like a digest and is digested all the same.
    expect([...idKey(hex)]).toEqual([...keyOf(sha256(hex), 2)]);
  });
});

describe('KeyTable', () => {
  it('numbers keys in the order in which they come, over many growths', () => {
    const table = new KeyTable(2);
    for (let i = 0; i < 30_000; i += 1) {
      expect(table.add(idKey(`id ${i}`))).toEqual({ row: i, isNew: true });
    }
    expect(table.size).toBe(30_000);
    for (const i of [0, 1, 8191, 8192, 29_999]) {
      expect(table.find(idKey(`id ${i}`))).toBe(i);
      expect(table.add(idKey(`id ${i}`))).toEqual({ row: i, isNew: false });
      expect([...table.keyAt(i)]).toEqual([...idKey(`id ${i}`)]);
    }
    expect(table.find(idKey('another'))).toBe(-1);
    expect(table.byteLength / table.size).toBeLessThan(20);
  });

  it('tells keys apart that begin alike', () => {
    const table = new KeyTable(4);
    const [a, b] = [Uint32Array.of(1, 2, 3, 4), Uint32Array.of(1, 2, 3, 5)];
    table.add(a);
    expect(table.find(b)).toBe(-1);
    table.add(b);
    expect([table.find(a), table.find(b)]).toEqual([0, 1]);
  });
});

describe('Column', () => {
  it('is zero where nothing was set', () => {
    const column = new Column((length) => new Uint32Array(length), 2);
    column.set(20_000, 7, 1);
    expect([column.get(20_000, 0), column.get(20_000, 1), column.get(5), column.get(1e6)]).toEqual([
      0, 7, 0, 0,
    ]);
  });
});
