/**
 * Where each answer lies: 28 bytes a row and 5 to 10 of the table over them.
 */
import { Column, keyOf, KeyTable } from '../key-table.js';

/** Where an answer lies. */
export interface AnswerPlace {
  /** Number of the segment, as the store counts them. */
  readonly segment: number;
  /** Of the line, or of the block of a packed segment that holds it. */
  readonly offset: number;
  readonly length: number;
}

const twoTo32 = 2 ** 32;

/** Places by hash; 128 bits of it are kept, so a reader compares the whole hash. */
export class AnswerIndex {
  readonly #table = new KeyTable(4);
  readonly #segments = new Column((length) => new Uint16Array(length));
  readonly #highs = new Column((length) => new Uint16Array(length));
  readonly #lows = new Column((length) => new Uint32Array(length));
  readonly #lengths = new Column((length) => new Uint32Array(length));

  /** Number of answers. */
  get size(): number {
    return this.#table.size;
  }

  /** Bytes of memory. */
  get byteLength(): number {
    const columns = [this.#segments, this.#highs, this.#lows, this.#lengths];
    return columns.reduce((sum, column) => sum + column.byteLength, this.#table.byteLength);
  }

  /** The row of a hash, or -1. */
  rowOf(hash: string): number {
    return this.#table.find(keyOf(hash, 4));
  }

  /** The place of an answer. */
  placeAt(row: number): AnswerPlace {
    return {
      segment: this.#segments.get(row),
      offset: this.#highs.get(row) * twoTo32 + this.#lows.get(row),
      length: this.#lengths.get(row),
    };
  }

  /** The first 128 bits of a row's hash. */
  keyAt(row: number): Uint32Array {
    return this.#table.keyAt(row);
  }

  /** Sets where an answer lies; the last place of a hash counts. */
  set(hash: string, place: AnswerPlace): void {
    this.setKey(keyOf(hash, 4), place);
  }

  /** As {@link set}, by the first 128 bits of the hash. */
  setKey(key: Uint32Array, { segment, offset, length }: AnswerPlace): void {
    const { row } = this.#table.add(key);
    this.#segments.set(row, segment);
    this.#highs.set(row, Math.floor(offset / twoTo32));
    this.#lows.set(row, offset % twoTo32);
    this.#lengths.set(row, length);
  }
}
