/**
 * Which row a key has, in typed arrays: a million rows must not be a million objects.
 */
import { hash as digest } from 'node:crypto';

const chunkBits = 13;
const chunkRows = 1 << chunkBits;
const inChunk = chunkRows - 1;

/** Numbers by row, in chunks: growing copies nothing and leaves no gaps. */
export class Column<T extends Float64Array | Uint16Array | Uint32Array> {
  readonly #chunks: T[] = [];
  readonly #make: (length: number) => T;
  readonly #width: number;

  /**
   * @param make - a new array of zeros.
   * @param width - numbers of a row.
   */
  constructor(make: (length: number) => T, width = 1) {
    this.#make = make;
    this.#width = width;
  }

  /** A number; 0 where none was set. */
  get(row: number, at = 0): number {
    return this.#chunks[row >>> chunkBits]?.[(row & inChunk) * this.#width + at] ?? 0;
  }

  /** Sets a number of a row. */
  set(row: number, value: number, at = 0): void {
    const index = row >>> chunkBits;
    while (this.#chunks.length <= index) this.#chunks.push(this.#make(chunkRows * this.#width));
    const chunk = this.#chunks[index];
    if (chunk !== undefined) chunk[(row & inChunk) * this.#width + at] = value;
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }
}

/** The start of a digest: two (64 bits) or four (128 bits) words. */
export type Key = Uint32Array;

const hexPattern = /^[0-9a-f]{32,}$/;

/**
 * The first words of a digest in hexadecimal; any other text is digested first.
 *
 * @param words - 2 or 4.
 */
export function keyOf(text: string, words: 2 | 4): Key {
  if (!hexPattern.test(text)) return idKey(text, words);
  const key = new Uint32Array(words);
  for (let i = 0; i < words; i += 1) {
    key[i] = Number.parseInt(text.slice(i * 8, i * 8 + 8), 16);
  }
  return key;
}

/** The first words of the SHA-256 of a text, whatever it looks like. */
export function idKey(text: string, words: 2 | 4 = 2): Key {
  const bytes = digest('sha256', text, 'buffer');
  const key = new Uint32Array(words);
  for (let i = 0; i < words; i += 1) key[i] = bytes.readUInt32BE(i * 4);
  return key;
}

/**
 * Rows by key, numbered as they are added. Open addressing over the rows' numbers: 5 to 10 bytes a
 * row beside the keys.
 */
export class KeyTable {
  readonly words: 2 | 4;
  readonly #keys: Column<Uint32Array>;
  /** Row + 1; 0 is free. */
  #slots = new Uint32Array(64);
  #size = 0;

  constructor(words: 2 | 4) {
    this.words = words;
    this.#keys = new Column((length) => new Uint32Array(length), words);
  }

  /** Number of rows. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.#slots.byteLength + this.#keys.byteLength;
  }

  /** The row of a key, or -1. */
  find(key: Key): number {
    const slot = this.#slots[this.#slotOf(key)] ?? 0;
    return slot - 1;
  }

  /** The row of a key, added where it was not there. */
  add(key: Key): { readonly row: number; readonly isNew: boolean } {
    const at = this.#slotOf(key);
    const found = this.#slots[at] ?? 0;
    if (found > 0) return { row: found - 1, isNew: false };
    const row = this.#size;
    for (let i = 0; i < this.words; i += 1) this.#keys.set(row, key[i] ?? 0, i);
    this.#slots[at] = row + 1;
    this.#size += 1;
    if (this.#size > this.#slots.length * 0.8) this.#grow();
    return { row, isNew: true };
  }

  /** The key of a row. */
  keyAt(row: number): Key {
    return Uint32Array.from({ length: this.words }, (_, i) => this.#keys.get(row, i));
  }

  #slotOf(key: Key): number {
    const mask = this.#slots.length - 1;
    let at = (key[0] ?? 0) & mask;
    for (;;) {
      const row = this.#slots[at] ?? 0;
      if (row === 0 || this.#isAt(row - 1, key)) return at;
      at = (at + 1) & mask;
    }
  }

  #isAt(row: number, key: Key): boolean {
    for (let i = 0; i < this.words; i += 1) if (this.#keys.get(row, i) !== key[i]) return false;
    return true;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let row = 0; row < this.#size; row += 1) {
      let at = this.#keys.get(row) & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = row + 1;
    }
    this.#slots = slots;
  }
}
