import { runSingle } from '../engine.js';
import type { KernelModule } from '../kernel-module.js';
import { addressWord, placeRecords } from './c-record.js';
import { createHeap, type Heap, type HeapArray, withHeap } from '../ops/heap.js';
import type { tf } from '../tfjs.js';
import { blockOf, type KernelCall, NUMBER_BYTES, registerOwnKernel } from './call.js';

/** Keys of a head that one piece of work takes, and most queries without packing: as in C. */
const PART = 256;
const FEW = 5;

/** Sizes of what a text holds. */
export interface KeyValueSizes {
  /** Heads of keys and values. */
  readonly headCount: number;
  readonly width: number;
  readonly valueWidth: number;
}

/** How scores come from products of queries and keys; null: without. */
export interface ScoreRules {
  readonly scale: number;
  readonly scoreCap: number | null;
  readonly window: number | null;
}

/** Tokens of one text, or of none, in a batch. */
export interface TokenPlace<Store> {
  readonly store: Store | null;
  /** Entry of the batch, its first token that is meant, and how many are. */
  readonly entry: number;
  readonly first: number;
  readonly count: number;
  /** Positions held, with those tokens once they are appended. */
  readonly held: number;
}

interface Arrays {
  readonly heap: Heap;
  readonly capacity: number;
  /** `[heads, capacity, features]`. */
  readonly keys: HeapArray<Float32Array>;
  readonly values: HeapArray<Float32Array>;
}

/** Positions that move, of all heads. */
interface Move {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** Keys and values of a text in memory beside the tensors, which our kernels change in place. */
export class KernelKeyValues {
  #arrays: Arrays;

  constructor(
    private readonly kernels: KernelModule,
    private readonly sizes: KeyValueSizes,
    capacity: number,
  ) {
    this.#arrays = this.#allocate(capacity);
  }

  get capacity(): number {
    return this.#arrays.capacity;
  }

  get sizeBytes(): number {
    const { headCount, width, valueWidth } = this.sizes;
    return NUMBER_BYTES * headCount * this.capacity * (width + valueWidth);
  }

  /** Addresses of keys and values. */
  addresses(): { keys: number; values: number } {
    return { keys: this.#arrays.keys.at(), values: this.#arrays.values.at() };
  }

  /** Makes room for so many positions, of which the first `held` are kept. */
  grow(capacity: number, held: number): void {
    const old = this.#arrays;
    this.#arrays = this.#allocate(capacity);
    this.#copy(old, { from: 0, to: 0, count: held });
    old.heap.free();
  }

  /** Forgets the first `count` of `held` positions. */
  drop(count: number, held: number): void {
    this.#copy(this.#arrays, { from: count, to: 0, count: held - count });
  }

  /** Copies of the first `held` positions, `[heads, held, features]`. */
  read(held: number): { keys: Float32Array; values: Float32Array } {
    const { headCount, width, valueWidth } = this.sizes;
    const { keys, values, capacity } = this.#arrays;
    const copyOf = (view: Float32Array, features: number) => {
      const copy = new Float32Array(headCount * held * features);
      for (let head = 0; head < headCount; head += 1) {
        const start = head * capacity * features;
        copy.set(view.subarray(start, start + held * features), head * held * features);
      }
      return copy;
    };
    return { keys: copyOf(keys.view(), width), values: copyOf(values.view(), valueWidth) };
  }

  /** Another text that holds the same. */
  clone(held: number): KernelKeyValues {
    const made = new KernelKeyValues(this.kernels, this.sizes, this.capacity);
    made.#copy(this.#arrays, { from: 0, to: 0, count: held });
    return made;
  }

  dispose(): void {
    this.#arrays.heap.free();
  }

  #copy(source: Arrays, { from, to, count }: Move): void {
    const { headCount, width, valueWidth } = this.sizes;
    const { capacity } = this.#arrays;
    const sides = [
      { own: source.keys.view(), target: this.#arrays.keys.view(), features: width },
      { own: source.values.view(), target: this.#arrays.values.view(), features: valueWidth },
    ];
    for (const { own, target, features } of sides) {
      for (let head = 0; head < headCount; head += 1) {
        const start = (head * source.capacity + from) * features;
        // Where both are one array, its parts may overlap: `set` takes care of that.
        const moved = own.subarray(start, start + count * features);
        target.set(moved, (head * capacity + to) * features);
      }
    }
  }

  #allocate(capacity: number): Arrays {
    const { headCount, width, valueWidth } = this.sizes;
    const heap = createHeap(this.kernels);
    try {
      const keys = heap.floats(headCount * capacity * width);
      return { heap, capacity, keys, values: heap.floats(headCount * capacity * valueWidth) };
    } catch (error) {
      heap.free();
      throw error;
    }
  }
}

type Places = readonly TokenPlace<KernelKeyValues>[];

/** What `body` makes of the address of the C structs of all places. */
function withPlaces<T>(kernels: KernelModule, places: Places, body: (address: number) => T): T {
  return withHeap(kernels, (heap) => {
    const records = places.map(({ store, entry, first, count, held }) => {
      const { keys, values } = store?.addresses() ?? { keys: 0, values: 0 };
      const [capacity, present] = store === null ? [0, 0] : [store.capacity, held];
      return [addressWord(keys), addressWord(values), capacity, entry, first, count, present];
    });
    return body(placeRecords(heap, records));
  });
}

/** Writes keys and values of new tokens behind those that their texts hold. */
export function appendInPlace(
  kernels: KernelModule,
  { keys, values, places }: { keys: tf.Tensor4D; values: tf.Tensor4D; places: Places },
): void {
  const [, headCount, tokens, width] = keys.shape;
  const valueWidth = values.shape[3];
  const most = places.reduce((sum, { count }) => Math.max(sum, count), 0);
  const work = {
    kernel: 'cache_append',
    count: places.length * headCount,
    block: blockOf(2 * most * (width + valueWidth)),
  };
  const { addressOf } = kernels.memory;
  withPlaces(kernels, places, (address) => {
    const sizes = [headCount, tokens, width, valueWidth];
    kernels.callBlocks(work, address, ...sizes, addressOf(keys), addressOf(values));
  });
}

/** What {@link attendInPlace} is given besides queries. */
export interface CachedAttentionProblem {
  readonly kernels: KernelModule;
  readonly sizes: KeyValueSizes;
  readonly places: Places;
  readonly rules: ScoreRules;
}

/** Attention of new tokens to what their texts hold, these tokens included. */
export function attendInPlace(
  q: tf.Tensor4D,
  bias: tf.Tensor2D | null,
  problem: CachedAttentionProblem,
): tf.Tensor4D {
  const inputs = { q, ...(bias === null ? {} : { bias }) };
  return runSingle('LabCachedAttention', inputs, { problem });
}

function cachedAttention(call: KernelCall): tf.TensorInfo {
  const { kernels, sizes, places, rules } = call.attribute<CachedAttentionProblem>('problem');
  const { headCount, width, valueWidth } = sizes;
  const q = call.input('q');
  const bias = call.input('bias') as tf.TensorInfo | undefined;
  const [entries, heads, tokens] = q.shape as [number, number, number];
  const output = call.output([entries, heads, tokens, valueWidth]);
  const longest = places.reduce((most, { held }) => Math.max(most, held), 1);
  const counts = places.map(({ count }) => count);
  const most = Math.max(0, ...counts);
  const parts = Math.ceil(longest / PART);
  const [group, window] = [heads / headCount, rules.window ?? 0];
  const perItem = most * Math.min(longest, PART) * (width + valueWidth);
  const attention = {
    kernel: 'cached_attention',
    count: places.length * heads * parts,
    block: blockOf(perItem),
  };
  const partBytes = entries * heads * tokens * parts * (valueWidth + 2) * NUMBER_BYTES;
  const bytesPerThread = most > FEW ? call.run('cached_attention_scratch_bytes') : 0;
  const foundBytes = Math.ceil(partBytes / 64) * 64;
  withPlaces(kernels, places, (address) =>
    call.temporary(foundBytes + bytesPerThread * call.kernels.threads, (found) => {
      const scratch = { address: found + foundBytes, bytesPerThread };
      const added = bias === undefined ? [0, 0] : [call.address(bias), bias.shape[1] as number];
      call.runBlocks(
        { ...attention, ...(bytesPerThread > 0 ? { scratch } : {}) },
        ...[address, headCount, group, tokens, width, valueWidth, parts],
        ...[rules.scale, rules.scoreCap ?? 0, window, ...added, call.address(q), found],
      );
      const join = {
        kernel: 'cached_attention_join',
        count: places.length * heads,
        block: blockOf((parts + 1) * most * valueWidth),
      };
      const shape = [heads, tokens, valueWidth, parts, window];
      call.runBlocks(join, address, ...shape, found, call.address(output));
    }),
  );
  return output;
}

/** Registers attention to kept keys and values. */
export function installCachedAttention(): void {
  registerOwnKernel({ name: 'LabCachedAttention', compute: cachedAttention });
}
