/**
 * Bytes of a file one after the other, a window of them in memory.
 */
import { DataError } from '@lab/core';
import type { FileSource } from '@lab/tensor/io';

const WINDOW = 1 << 18;

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads little-endian numbers and texts from the begin of a file on. */
export class ByteReader {
  private window = new Uint8Array(0);
  private view = new DataView(this.window.buffer);
  /** Where in the file the window begins. */
  private begin = 0;
  /** Where in the file the next byte is. */
  position = 0;
  /** What is being read, for messages. */
  what = 'the header';

  constructor(private readonly source: FileSource) {}

  get path(): string {
    return this.source.path;
  }

  /** Bytes behind the position. */
  get rest(): number {
    return this.source.sizeBytes - this.position;
  }

  /** An error about what is being read. */
  wrong(problem: string): DataError {
    return new DataError(`${this.path}: ${this.what} ${problem} (at byte ${this.position}).`, {
      file: this.path,
      help: 'Copy or download the file again; it is damaged.',
    });
  }

  /** Refuses a count of things that the rest of the file has no room for. */
  assertRoom(count: number, bytesEach: number, things: string): void {
    if (count * bytesEach <= this.rest) return;
    throw this.wrong(
      `is to have ${count} ${things} of at least ${bytesEach} bytes, ` +
        `the file has ${this.rest} more`,
    );
  }

  /** Place in the window of the next bytes. */
  private advance(count: number): number {
    if (count > this.rest) throw this.wrong(`needs ${count} bytes, the file has ${this.rest} more`);
    const isHeld =
      this.position >= this.begin && this.position + count <= this.begin + this.window.length;
    if (!isHeld) {
      this.window = new Uint8Array(Math.min(Math.max(WINDOW, count), this.rest));
      this.source.read(this.window, this.position);
      this.view = new DataView(this.window.buffer);
      this.begin = this.position;
    }
    const at = this.position - this.begin;
    this.position += count;
    return at;
  }

  /** The next bytes; those of a number of their own type can be made of a copy. */
  bytes(count: number): Uint8Array {
    if (count <= WINDOW) {
      const at = this.advance(count);
      return this.window.slice(at, at + count);
    }
    if (count > this.rest) throw this.wrong(`needs ${count} bytes, the file has ${this.rest} more`);
    const own = new Uint8Array(count);
    this.source.read(own, this.position);
    this.position += count;
    return own;
  }

  u32(): number {
    const at = this.advance(4);
    return this.view.getUint32(at, true);
  }

  /** A number of 64 bits that JavaScript can count with. */
  count(): number {
    const value = this.u64();
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw this.wrong(`has the count ${value}, more than any file holds`);
  }

  u64(): bigint {
    const at = this.advance(8);
    return this.view.getBigUint64(at, true);
  }

  /** A text behind its length in bytes. */
  text(mostBytes = Number.MAX_SAFE_INTEGER): string {
    const length = this.count();
    if (length > mostBytes) throw this.wrong(`has a name of ${length} bytes, not ${mostBytes}`);
    if (length > this.rest) {
      throw this.wrong(`has a text of ${length} bytes, the file has ${this.rest} more`);
    }
    const at = length <= WINDOW ? this.advance(length) : -1;
    const bytes = at < 0 ? this.bytes(length) : this.window.subarray(at, at + length);
    try {
      return strict.decode(bytes);
    } catch {
      throw this.wrong('has a text that is not UTF-8');
    }
  }
}
