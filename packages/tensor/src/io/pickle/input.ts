import { DataError } from '@lab/core';

const windowBytes = 1 << 18;
const longTextBytes = 1024;

/** Where the bytes of a pickle come from. */
export interface PickleSource {
  /** What to call it in an error. */
  readonly path: string;
  readonly sizeBytes: number;
  read(target: Uint8Array, position: number): void;
}

/**
 * The bytes of a pickle, read forwards through a small window.
 *
 * Lengths are compared with what is left of the source before memory is taken. Long byte strings
 * go straight into memory of their own.
 */
export class PickleInput {
  readonly path: string;
  readonly #source: PickleSource;
  readonly #window: Buffer;
  #windowStart = 0;
  #windowLength = 0;
  #position = 0;

  constructor(source: PickleSource) {
    this.path = source.path;
    this.#source = source;
    this.#window = Buffer.alloc(Math.min(windowBytes, Math.max(8, source.sizeBytes)));
  }

  /** Place of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** Bytes after the present place. */
  get bytesLeft(): number {
    return this.#source.sizeBytes - this.#position;
  }

  /** An error that names the file and the place. */
  failure(what: string, help = 'Copy the file again; it is damaged or not a pickle.'): DataError {
    return new DataError(`${this.path}: ${what} (at byte ${this.#position}).`, {
      file: this.path,
      help,
      details: { position: this.#position },
    });
  }

  /** The error for everything that could run code. */
  refusal(what: string): DataError {
    return this.failure(
      `${what}; only plain arrays are read, nothing was imported or run`,
      'Save plain NumPy arrays, numbers, texts, lists and dicts (or use np.savez).',
    );
  }

  byte(): number {
    return this.#window[this.#advance(1)]!;
  }

  uint16(): number {
    return this.#window.readUInt16LE(this.#advance(2));
  }

  uint32(): number {
    return this.#window.readUInt32LE(this.#advance(4));
  }

  int32(): number {
    return this.#window.readInt32LE(this.#advance(4));
  }

  /** An unsigned 64-bit length; inexact beyond 2^53, where it exceeds every file anyway. */
  uint64(): number {
    return Number(this.#window.readBigUInt64LE(this.#advance(8)));
  }

  /** A big-endian double. */
  float64(): number {
    return this.#window.readDoubleBE(this.#advance(8));
  }

  /** The next bytes, in memory of their own. */
  bytes(length: number): Uint8Array {
    if (length < 0 || length > this.bytesLeft) {
      throw this.failure(`claims ${length} bytes, ${this.bytesLeft} are left`);
    }
    // Not from the pool: the array begins at offset 0, so that it can be seen as any number type.
    const target = Buffer.allocUnsafeSlow(length);
    if (length <= this.#window.length) {
      if (length > 0) this.#window.copy(target, 0, this.#advance(length), this.#position);
    } else {
      this.#source.read(target, this.#position);
      this.#position += length;
    }
    return new Uint8Array(target.buffer, target.byteOffset, length);
  }

  /** The next bytes as text. */
  text(length: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    if (length >= longTextBytes || length <= 0) {
      const bytes = Buffer.from(this.bytes(length).buffer, 0, length);
      return encoding === 'latin1' ? bytes.toString('latin1') : longText(bytes);
    }
    const start = this.#advance(length);
    return this.#window.toString(encoding, start, start + length);
  }

  /** The next line as Latin-1, without its line feed. */
  line(): string {
    const parts: string[] = [];
    for (;;) {
      const start = this.#advance(1);
      const end = this.#window.indexOf(10, start);
      if (end >= 0 && end < this.#windowLength) {
        this.#position = this.#windowStart + end + 1;
        parts.push(this.#window.toString('latin1', start, end));
        return parts.join('');
      }
      this.#position = this.#windowStart + this.#windowLength;
      parts.push(this.#window.toString('latin1', start, this.#windowLength));
    }
  }

  /** Moves over `length` bytes and returns their place in the window. */
  #advance(length: number): number {
    const start = this.#position - this.#windowStart;
    if (start >= 0 && start + length <= this.#windowLength) {
      this.#position += length;
      return start;
    }
    if (length > this.bytesLeft) throw this.failure('ends before the pickle does');
    this.#windowStart = this.#position;
    this.#windowLength = Math.min(this.#window.length, this.bytesLeft);
    this.#source.read(this.#window.subarray(0, this.#windowLength), this.#position);
    this.#position += length;
    return 0;
  }
}

/**
 * The text of UTF-8 bytes. Python 2's and protocol 2's byte strings are texts of characters below
 * 256, for which this is much faster than decoding to 16 bits a character.
 */
function longText(bytes: Buffer): string {
  const narrow = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i]!;
    if (byte < 0x80) {
      narrow[length] = byte;
    } else {
      const next = bytes[i + 1] ?? 0;
      if ((byte & 0xfe) !== 0xc2 || (next & 0xc0) !== 0x80) return bytes.toString('utf8');
      narrow[length] = ((byte & 3) << 6) | (next & 0x3f);
      i += 1;
    }
    length += 1;
  }
  return narrow.toString('latin1', 0, length);
}
