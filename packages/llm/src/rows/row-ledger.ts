/**
 * Which rows are finished and where each stands in the input: about 30 bytes a row, whatever the
 * length of its id.
 */
import { DataError, formatCount } from '@lab/core';
import { Column, idKey, keyOf, KeyTable } from '../key-table.js';
import { type LineStarts, lineStarts } from './canonical-order.js';

const finished = 1;
const isTaken = 2;
/** Finished by an earlier process, so its request must be compared. */
const isEarlier = 4;

/** What {@link RowLedger.take} says of a row. */
export type RowState = 'finished' | 'new' | 'stale';

/** The rows of a run. */
export class RowLedger {
  readonly #table = new KeyTable(2);
  readonly #flags = new Column((length) => new Uint16Array(length));
  /** Start of the request's hash, of rows that earlier processes finished. */
  readonly #hashes = new Column((length) => new Uint32Array(length), 2);
  /** Place in the input, from 1, where it is not the number of the row. */
  readonly #places = new Column((length) => new Uint32Array(length));
  readonly #starts = lineStarts();
  #taken = 0;
  #lastRow = -1;
  #finished = 0;
  /** Rows that earlier processes finished: only these have places of their own. */
  #loaded = 0;

  /** Rows that are finished. */
  get finishedCount(): number {
    return this.#finished;
  }

  /** Rows of the input so far. */
  get takenCount(): number {
    return this.#taken;
  }

  /** The row that was taken last, for {@link finish}. */
  get lastRow(): number {
    return this.#lastRow;
  }

  /** Bytes of memory. */
  get byteLength(): number {
    const columns = [this.#flags, this.#hashes, this.#places, this.#starts];
    return columns.reduce((sum, column) => sum + column.byteLength, this.#table.byteLength);
  }

  /** Notes a row that an earlier process finished. */
  load(id: string, requestHash: string | null): void {
    const { row, isNew } = this.#table.add(idKey(id));
    if (isNew) this.#finished += 1;
    this.#flags.set(row, finished | isEarlier);
    if (requestHash !== null) {
      const key = keyOf(requestHash, 2);
      this.#hashes.set(row, key[0] ?? 0, 0);
      this.#hashes.set(row, key[1] ?? 0, 1);
    }
    this.#loaded = this.#table.size;
  }

  /**
   * Takes the next row of the input.
   *
   * @param requestHash - of the request it would make, where that is known; compared with the one
   *   that was made.
   * @throws {DataError} when the id was there before.
   */
  take(id: string, requestHash: string | null): RowState {
    const { row } = this.#table.add(idKey(id));
    const flags = this.#flags.get(row);
    this.#taken += 1;
    this.#lastRow = row;
    if ((flags & isTaken) !== 0) throw this.#doubled(id, row);
    this.#flags.set(row, flags | isTaken);
    if (this.#loaded > 0) this.#places.set(row, this.#taken);
    if ((flags & finished) === 0) return 'new';
    const isSame = requestHash === null || this.#hasHash(row, keyOf(requestHash, 2));
    return isSame ? 'finished' : 'stale';
  }

  /** Notes that a row is finished, and where its line begins in the file. */
  finish(row: number, offset: number): void {
    this.#flags.set(row, this.#flags.get(row) | finished);
    if (this.#loaded === 0) this.#starts.set(row, offset + 1);
    this.#finished += 1;
  }

  /** Where the lines of all finished rows begin; null where earlier processes wrote some. */
  get lineStarts(): LineStarts | null {
    if (this.#loaded > 0) return null;
    return { starts: this.#starts, lastPlace: this.#taken - 1 };
  }

  /** Whether a row is finished. */
  isFinished(id: string): boolean {
    const row = this.#table.find(idKey(id));
    return row >= 0 && (this.#flags.get(row) & finished) !== 0;
  }

  /** The place of a row in the input, from 0; after all others where the input has it no more. */
  placeOf(id: string): number {
    const row = this.#table.find(idKey(id));
    if (row < 0) return this.#taken;
    if (this.#loaded === 0) return row;
    const place = this.#places.get(row);
    return place === 0 ? this.#taken + row : place - 1;
  }

  #hasHash(row: number, key: Uint32Array): boolean {
    return this.#hashes.get(row, 0) === key[0] && this.#hashes.get(row, 1) === key[1];
  }

  #doubled(id: string, row: number): DataError {
    const first = this.#loaded === 0 ? row + 1 : this.#places.get(row);
    const where = `rows ${formatCount(first)} and ${formatCount(this.#taken)}`;
    return new DataError(`the id ${JSON.stringify(id)} stands twice, in ${where}.`, {
      field: 'id',
      help: 'give every row an id of its own.',
      details: { id },
    });
  }
}
