import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DataError, makeFolder, sha256 } from '@lab/core';
import { diskProblem, systemCode } from '../disk-problem.js';
import type { LlmClient } from '../llm-client.js';
import type { VectorTable } from './cosine.js';

/** What makes vectors of texts. */
export type EmbeddingClient = Pick<LlmClient, 'embed' | 'model'>;

/** Vectors of texts, kept on disk by model and text. */
export interface EmbeddingStore {
  readonly model: string;
  /** Vectors that are kept. */
  readonly size: number;
  has(text: string): boolean;
  /** The vector of a text, or undefined. */
  get(text: string): Float32Array | undefined;
  /** Vectors of all texts, in their order; those that are missing are asked for once and kept. */
  embed(
    client: EmbeddingClient,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<VectorTable>;
  close(): void;
}

/** Bytes of a SHA-256. */
const keyBytes = 32;
/** First bytes of a file: name and version of the form, then the width of its vectors. */
const magic = Buffer.from('labvec01');
const headBytes = magic.length + 4;
/** Texts that are asked for, and written, at a time: an end in between loses no more. */
const textsAtOnce = 512;
/** Bytes that are read at a time when a store is opened. */
const readBytes = 1 << 20;

interface Place {
  readonly file: number;
  readonly offset: number;
}

/** The file that this process writes. */
interface OwnFile {
  readonly path: string;
  readonly file: number;
  end: number;
}

/**
 * A store of vectors in a folder, which is made.
 *
 * Each process writes a file of its own, so that several can share a folder without a lock; a torn
 * last record is left out. A file holds a head and records of a SHA-256 of the text and the vector
 * as little-endian Float32; only the hashes stay in memory. Machines with big-endian numbers cannot
 * share it.
 *
 * @throws {DataError} when the folder cannot be used or a file is something else.
 */
export function openEmbeddingStore(dir: string, model: string): EmbeddingStore {
  makeFolder(dir);
  return new FileStore(dir, model);
}

class FileStore implements EmbeddingStore {
  readonly model: string;
  readonly #dir: string;
  readonly #name: string;
  readonly #places = new Map<string, Place>();
  readonly #files: number[] = [];
  #width = 0;
  #own: OwnFile | undefined;

  constructor(dir: string, model: string) {
    this.model = model;
    this.#dir = dir;
    this.#name = sha256(model).slice(0, 16);
    const own = readdirSync(dir).filter((name) => name.startsWith(`${this.#name}.`));
    for (const name of own.sort()) this.#read(join(dir, name));
  }

  get size(): number {
    return this.#places.size;
  }

  has(text: string): boolean {
    return this.#places.has(keyOf(text).toString('latin1'));
  }

  get(text: string): Float32Array | undefined {
    const place = this.#places.get(keyOf(text).toString('latin1'));
    if (!place) return undefined;
    const vector = new Float32Array(this.#width);
    const bytes = Buffer.from(vector.buffer);
    readSync(place.file, bytes, 0, bytes.length, place.offset);
    return vector;
  }

  async embed(
    client: EmbeddingClient,
    texts: readonly string[],
    signal?: AbortSignal,
  ): Promise<VectorTable> {
    if (client.model !== this.model) {
      throw new DataError(
        `llm/retrieval: ${this.#dir} is for ${this.model}, not ${client.model}.`,
        {
          file: this.#dir,
          help: 'Open the store with the model of the client.',
        },
      );
    }
    const missing = [...new Set(texts)].filter((text) => !this.has(text));
    for (let start = 0; start < missing.length; start += textsAtOnce) {
      const part = missing.slice(start, start + textsAtOnce);
      this.#append(part, await client.embed(part, signal === undefined ? {} : { signal }));
    }
    const values = new Float32Array(texts.length * this.#width); // [texts, width]
    for (const [index, text] of texts.entries()) values.set(this.get(text)!, index * this.#width);
    return { width: this.#width, values };
  }

  close(): void {
    for (const file of this.#files.splice(0)) closeSync(file);
    this.#places.clear();
    this.#own = undefined;
  }

  #append(texts: readonly string[], { width, values }: VectorTable): void {
    if (this.#width !== 0 && width !== this.#width) {
      throw new DataError(
        `llm/retrieval: ${this.model} now gives ${width} numbers per text, ` +
          `${this.#dir} holds ${this.#width}.`,
        { file: this.#dir, help: 'The model behind the name has changed: use another folder.' },
      );
    }
    this.#width = width;
    this.#own ??= this.#create();
    const { file, end } = this.#own;
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const records = texts.map((text, index) => {
      const vector = bytes.subarray(index * 4 * width, (index + 1) * 4 * width);
      return Buffer.concat([keyOf(text), vector]);
    });
    const block = Buffer.concat(records);
    this.#write(block, this.#own);
    for (const [index, text] of texts.entries()) {
      const offset = end + index * this.#recordBytes() + keyBytes;
      this.#places.set(keyOf(text).toString('latin1'), { file, offset });
    }
    this.#own.end += block.length;
  }

  /** What does not fit on the disk is written over by the next records. */
  #write(block: Buffer, { file, end, path }: OwnFile): void {
    try {
      for (let done = 0; done < block.length; ) {
        done += writeSync(file, block, done, block.length - done, end + done);
      }
    } catch (cause) {
      throw diskProblem(path, cause);
    }
  }

  /** A new file: the first number that no other process has taken. */
  #create(): OwnFile {
    for (let number = 0; ; number += 1) {
      const path = join(this.#dir, `${this.#name}.${number}.vectors`);
      if (existsSync(path)) continue;
      try {
        const file = openSync(path, 'wx+');
        this.#files.push(file);
        const head = Buffer.alloc(headBytes);
        magic.copy(head);
        head.writeUInt32LE(this.#width, magic.length);
        writeSync(file, head, 0, headBytes, 0);
        return { path, file, end: headBytes };
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw diskProblem(path, error);
      }
    }
  }

  #read(path: string): void {
    const file = openSync(path, 'r');
    this.#files.push(file);
    const head = Buffer.alloc(headBytes);
    // The head of a file that another process has just made may not be there yet.
    if (readSync(file, head, 0, headBytes, 0) < headBytes) return;
    const width = head.readUInt32LE(magic.length);
    const isOther = !head.subarray(0, magic.length).equals(magic);
    if (isOther || (this.#width !== 0 && width !== this.#width)) {
      throw new DataError(`${path}: these are no vectors of ${this.#width || 'any'} numbers.`, {
        file: path,
        help: 'Remove the file, or use another folder.',
      });
    }
    this.#width = width;
    const size = fstatSync(file).size;
    const record = this.#recordBytes();
    const block = Buffer.alloc(Math.max(record, readBytes - (readBytes % record)));
    for (let start = headBytes; start + record <= size; start += block.length) {
      const bytes = readSync(file, block, 0, block.length, start);
      for (let at = 0; at + record <= bytes; at += record) {
        const key = block.toString('latin1', at, at + keyBytes);
        this.#places.set(key, { file, offset: start + at + keyBytes });
      }
    }
  }

  #recordBytes(): number {
    return keyBytes + 4 * this.#width;
  }
}

function keyOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
