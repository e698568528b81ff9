import { BackendError, DataError, ShapeError } from '@lab/core';
import { activeKernels } from '../active-kernels.js';
import { hasKernel } from '../engine.js';
import { KernelKeyValues, type KeyValueSizes } from '../kernels/cached-attention.js';
import { tf } from '../tfjs.js';
import { ComposedKeyValues } from './cache-composed.js';

/** Sizes of a {@link KeyValueCache}. */
export interface KeyValueCacheOptions {
  /** Heads of keys and values, G. */
  readonly headCount: number;
  /** Features of a key, F. */
  readonly width: number;
  /** Features of a value, C; default F. */
  readonly valueWidth?: number;
  /** Positions that a token sees, its own included; others are forgotten. Default all. */
  readonly window?: number;
  /** Positions to have room for at once; more are added 64 at a time. Default 64. */
  readonly capacity?: number;
}

/**
 * Keys and values of the tokens of one text so far, in one block of a model.
 *
 * It owns its memory, which no tensor shares and which {@link appendKeyValues} changes in place:
 * what `read` and {@link cachedAttention} have returned keeps its values. Outside gradients; it
 * lives until `dispose`, also in `tf.tidy`.
 */
export interface KeyValueCache {
  readonly headCount: number;
  readonly width: number;
  readonly valueWidth: number;
  /** Null: all positions. */
  readonly window: number | null;
  /** Tokens so far. */
  readonly length: number;
  /** Positions, the last ones, whose keys and values are there. */
  readonly heldCount: number;
  /** Positions that there is room for; grows by itself. */
  readonly capacity: number;
  /** Bytes of its memory. */
  readonly sizeBytes: number;
  /** Copies of keys `[G, S, F]` and values `[G, S, C]` of the S positions held. */
  read(): { keys: tf.Tensor3D; values: tf.Tensor3D };
  /**
   * Forgets the tokens from `length` on; 0 makes it ready for another text.
   *
   * @throws {DataError} for a length above the present one, or one whose window was forgotten.
   */
  truncate(length: number): void;
  /** Another cache that holds the same. */
  clone(): KeyValueCache;
  /** Frees its memory. */
  dispose(): void;
}

const GROWTH = 64;

function refuse(what: string, expected: string, got: string): never {
  throw new DataError(`tensor: ${what} of a key-value cache is ${got}, expected ${expected}.`, {
    details: { expected, got },
  });
}

function assertSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isInteger(size) && size >= 1) continue;
    throw new ShapeError(`tensor: a key-value cache has ${name} ${size}, expected 1 or more.`, {
      expected: 'a whole number from 1',
      got: String(size),
    });
  }
}

/** A cache, and its keys and values for what works on them. */
export class Cache implements KeyValueCache {
  readonly headCount: number;
  readonly width: number;
  readonly valueWidth: number;
  readonly window: number | null;
  #length = 0;
  #heldCount = 0;
  readonly #backend = tf.backend();
  #store: ComposedKeyValues | KernelKeyValues | null;

  constructor({ window = null, ...sizes }: KeyValueSizes & { readonly window?: number | null }) {
    this.headCount = sizes.headCount;
    this.width = sizes.width;
    this.valueWidth = sizes.valueWidth;
    this.window = window;
    this.#store = null;
  }

  /** Makes its memory. */
  static withCapacity(options: KeyValueCacheOptions): Cache {
    const { headCount, width, valueWidth = width, window, capacity = GROWTH } = options;
    const sizes = { headCount, width, valueWidth };
    assertSizes({ ...sizes, capacity, ...(window === undefined ? {} : { window }) });
    const cache = new Cache({ ...sizes, window: window ?? null });
    const kernels = hasKernel('LabCachedAttention') ? activeKernels() : null;
    cache.#store =
      kernels === null
        ? new ComposedKeyValues(capacity)
        : new KernelKeyValues(kernels, sizes, capacity);
    return cache;
  }

  get length(): number {
    return this.#length;
  }

  get heldCount(): number {
    return this.#heldCount;
  }

  get capacity(): number {
    return this.store.capacity;
  }

  get sizeBytes(): number {
    return this.store.sizeBytes;
  }

  /** Where its keys and values are. */
  get store(): ComposedKeyValues | KernelKeyValues {
    if (this.#store === null) {
      throw new BackendError('tensor: the key-value cache was disposed of.', {
        help: 'Make another with createKeyValueCache.',
      });
    }
    if (tf.backend() === this.#backend) return this.#store;
    throw new BackendError(
      `tensor: the key-value cache was made on another backend than ${tf.getBackend()}.`,
      { help: 'Make the cache after selectBackend, once for each backend.' },
    );
  }

  /** Makes room for tokens that are about to be appended. */
  reserve(count: number): void {
    const { store } = this;
    if (this.#heldCount + count <= store.capacity) return;
    if (this.window !== null) this.#forget(this.#heldCount - (this.window - 1));
    const needed = this.#heldCount + count;
    if (needed <= store.capacity) return;
    // With a window some more, so that not every token moves all others.
    const room = needed + (this.window === null ? 0 : GROWTH);
    store.grow(GROWTH * Math.ceil(room / GROWTH), this.#heldCount);
  }

  /** Counts tokens that were appended. */
  advance(count: number): void {
    this.#length += count;
    this.#heldCount += count;
  }

  read(): { keys: tf.Tensor3D; values: tf.Tensor3D } {
    const { store, headCount: heads, width, valueWidth } = this;
    const count = this.#heldCount;
    if (count === 0) {
      return { keys: tf.zeros([heads, 0, width]), values: tf.zeros([heads, 0, valueWidth]) };
    }
    if (store instanceof ComposedKeyValues) {
      return { keys: tf.clone(store.held.keys), values: tf.clone(store.held.values) };
    }
    const { keys, values } = store.read(count);
    return {
      keys: tf.tensor3d(keys, [heads, count, width]),
      values: tf.tensor3d(values, [heads, count, valueWidth]),
    };
  }

  truncate(length: number): void {
    const { store } = this;
    const isLength = Number.isInteger(length) && length >= 0 && length <= this.#length;
    if (!isLength) refuse('the length', `0 .. ${this.#length}`, String(length));
    const forgotten = this.#length - this.#heldCount;
    const needed = length === 0 ? length : length - Math.min(length, (this.window ?? Infinity) - 1);
    if (length > 0 && needed < forgotten) {
      refuse('the length', `${forgotten + this.window! - 1} or more, or 0`, String(length));
    }
    const held = length === 0 ? 0 : length - forgotten;
    if (store instanceof ComposedKeyValues) store.keep(0, held);
    this.#length = length;
    this.#heldCount = held;
  }

  clone(): KeyValueCache {
    const made = new Cache(this);
    const { store } = this;
    made.#store = store instanceof ComposedKeyValues ? store.clone() : store.clone(this.#heldCount);
    made.#length = this.#length;
    made.#heldCount = this.#heldCount;
    return made;
  }

  dispose(): void {
    this.#store?.dispose();
    this.#store = null;
  }

  /** Forgets the first positions held, where `count` is above 0. */
  #forget(count: number): void {
    if (count <= 0) return;
    const { store } = this;
    if (store instanceof ComposedKeyValues) store.keep(count, this.#heldCount - count);
    else store.drop(count, this.#heldCount);
    this.#heldCount -= count;
  }
}

/**
 * An empty cache on the present backend.
 *
 * On wasm and tensorflow its memory lies beside the tensors. On other backends, a GPU among them,
 * it is made of tensors, and attention to it of stock operations, text by text.
 *
 * @throws {ShapeError} for sizes that are not whole numbers from 1.
 * @throws {BackendError} when there is no memory for it.
 */
export const createKeyValueCache = (options: KeyValueCacheOptions): KeyValueCache =>
  Cache.withCapacity(options);
