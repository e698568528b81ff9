import { BackendError, DataError, ShapeError } from '@lab/core';
import { activeKernels } from '../active-kernels.js';
import {
  appendInPlace,
  attendInPlace,
  KernelKeyValues,
  type ScoreRules,
  type TokenPlace,
} from '../kernels/cached-attention.js';
import type { KernelModule } from '../kernel-module.js';
import { assertDtype, assertShape } from '../shape.js';
import type { tf } from '../tfjs.js';
import { appendComposed, attendComposed, type ComposedKeyValues } from './cache-composed.js';
import { Cache, type KeyValueCache } from './key-value-cache.js';

/** Tokens of one text in a batch `[B, ..., T, ...]`, one after the other. */
export interface CacheSpan {
  readonly cache: KeyValueCache;
  /** Entry of the batch; default 0. */
  readonly entry?: number;
  /** First token; default 0. */
  readonly start?: number;
  /** One past the last token; default T. */
  readonly end?: number;
}

/** Settings of {@link cachedAttention}. */
export interface CachedAttentionOptions {
  /** Factor of the scalar products; default `1 / sqrt(F)`. */
  readonly scale?: number;
  /** c of `c tanh(s / c)`, by which scaled products s are bounded; default none. */
  readonly scoreCap?: number;
  /**
   * Added to the scores, `[H, S]`: column j belongs to position j that a text holds, and S is at
   * least as many as any text does. Default none.
   */
  readonly bias?: tf.Tensor2D;
}

type Store = ComposedKeyValues | KernelKeyValues;
type Place = TokenPlace<Store>;

function refuse(what: string, expected: string, got: string): never {
  throw new DataError(`tensor/cached-attention: ${what} is ${got}, expected ${expected}.`, {
    details: { expected, got },
  });
}

/** The cache itself: only `createKeyValueCache` makes any. */
function ownCache(cache: KeyValueCache): Cache {
  if (cache instanceof Cache) return cache;
  throw new BackendError('tensor/cached-attention: a span has a cache of another making.', {
    help: 'Make it with createKeyValueCache.',
  });
}

interface Range {
  readonly cache: Cache;
  readonly entry: number;
  readonly first: number;
  readonly count: number;
}

/** Spans with their defaults; no cache, and no token, is in two of them. */
function rangesOf(spans: readonly CacheSpan[], entries: number, tokens: number): Range[] {
  const caches = new Set<KeyValueCache>();
  const ranges = spans.map(({ cache, entry = 0, start = 0, end = tokens }) => {
    if (caches.has(cache)) refuse('a cache', 'in one span alone', 'in two spans');
    caches.add(cache);
    if (!(Number.isInteger(entry) && entry >= 0 && entry < entries)) {
      refuse('the entry of a span', `0 .. ${entries - 1}`, String(entry));
    }
    const isSpan = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && end <= tokens;
    if (!isSpan || end < start) {
      refuse('a span', `start and end within 0 .. ${tokens}`, `${start} .. ${end}`);
    }
    return { cache: ownCache(cache), entry, first: start, count: end - start };
  });
  const isTaken = new Uint8Array(entries * tokens);
  for (const { entry, first, count } of ranges) {
    const own = isTaken.subarray(entry * tokens + first, entry * tokens + first + count);
    const at = own.indexOf(1);
    if (at >= 0) refuse(`token ${first + at} of entry ${entry}`, 'in one span', 'in two spans');
    own.fill(1);
  }
  return ranges;
}

/** The place of a range; written out, as it is made for every block of every step. */
const placeOf = ({ cache, entry, first, count }: Range, held: number): Place => ({
  store: cache.store,
  entry,
  first,
  count,
  held,
});

/** Where tokens stand; with those of no span, so that every token has a place. */
function allPlaces(places: readonly Place[], entries: number, tokens: number): Place[] {
  const gaps: Place[] = [];
  for (let entry = 0; entry < entries; entry += 1) {
    const own = places
      .filter((place) => place.entry === entry && place.count > 0)
      .toSorted((a, b) => a.first - b.first);
    let first = 0;
    for (const next of [...own.map((place) => place.first), tokens]) {
      if (next > first) gaps.push({ store: null, entry, first, count: next - first, held: 0 });
      const there = own.find((place) => place.first === next);
      first = next + (there?.count ?? 0);
    }
  }
  return gaps.length === 0 ? [...places] : [...places, ...gaps];
}

/** Whether these are our kernels' own; all caches of a call are of the present backend. */
const kernelsFor = (places: readonly Place[]): KernelModule | null =>
  places.some(({ store }) => store instanceof KernelKeyValues) ? activeKernels() : null;

/**
 * Puts keys and values of new tokens behind those that their texts hold: the only operation that
 * changes something in place.
 *
 * @param keys - `[B, G, T, F]`; with rotary embedding, turned by their positions.
 * @param values - `[B, G, T, C]`.
 * @param spans - which tokens belong to which text; others are left out.
 * @throws {ShapeError} when shapes or types disagree; nothing was changed then.
 * @throws {DataError} for spans that are not there or share a token or cache; nor then.
 * @throws {BackendError} when there is no memory for more positions.
 */
export function appendKeyValues(
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  spans: readonly CacheSpan[],
): void {
  const sizes = assertShape(keys, 'B G T F', 'keys');
  assertShape(values, 'B G T *', 'values', sizes);
  assertDtype(keys, 'float32', 'keys');
  assertDtype(values, 'float32', 'values');
  const ranges = rangesOf(spans, keys.shape[0], keys.shape[2]);
  for (const { cache } of ranges) {
    const { headCount, width, valueWidth } = cache;
    assertShape(keys, `B ${headCount} T ${width}`, 'keys');
    assertShape(values, `B ${headCount} T ${valueWidth}`, 'values');
  }
  for (const { cache, count } of ranges) cache.reserve(count);
  const places = ranges.map((range) => placeOf(range, range.cache.heldCount + range.count));
  const kernels = kernelsFor(places);
  if (kernels === null) {
    appendComposed(keys, values, places as TokenPlace<ComposedKeyValues>[]);
  } else {
    const own = places as TokenPlace<KernelKeyValues>[];
    appendInPlace(kernels, { keys, values, places: own });
  }
  for (const { cache, count } of ranges) cache.advance(count);
}

/**
 * Attention of the tokens that were appended last to all that their texts hold.
 *
 * `y_t = sum_j a_tj v_j`, `a_tj = softmax_j(s_tj)`, `s_tj = scale q_t . k_j + bias_j` over the
 * positions j up to that of token t, within the window of the cache. On wasm and tensorflow every
 * key and value is read where it lies, in parts of 256 positions that threads divide; a text's
 * result depends on its own tokens alone, bit by bit. No gradient.
 * Source: Vaswani et al., Attention Is All You Need, eq. (1); parts that are joined: Dao et al.,
 * Flash-Decoding; equation not verified.
 *
 * @param q - queries `[B, H, T, F]`; G divides H: a head of keys serves H / G neighbouring heads.
 * @param spans - those of {@link appendKeyValues}; the last token of a span stands at the last
 *   position of its text.
 * @returns `[B, H, T, C]`; zeros for tokens of no span.
 * @throws {ShapeError} when shapes or types disagree.
 * @throws {DataError} for spans that are not there, or longer than what their texts hold.
 *
 * @example
 * ```ts
 * import { appendKeyValues, cachedAttention, createKeyValueCache, tf } from '@lab/tensor';
 *
 * const cache = createKeyValueCache({ headCount: 2, width: 64 });
 * appendKeyValues(tf.ones([1, 2, 5, 64]), tf.ones([1, 2, 5, 64]), [{ cache }]);
 * const z = cachedAttention(tf.ones([1, 14, 5, 64]), [{ cache }]); // [1, 14, 5, 64]
 * ```
 */
export function cachedAttention(
  q: tf.Tensor4D,
  spans: readonly CacheSpan[],
  options: CachedAttentionOptions = {},
): tf.Tensor4D {
  assertShape(q, 'B H T F', 'q');
  assertDtype(q, 'float32', 'q');
  const [entries, heads, tokens, width] = q.shape;
  const ranges = rangesOf(spans, entries, tokens);
  const first = ranges[0]?.cache;
  if (first === undefined) refuse('the number of spans', '1 or more', '0');
  const { headCount, valueWidth, window } = first;
  for (const { cache, count } of ranges) {
    assertShape(q, `B H T ${cache.width}`, 'q');
    const isAlike = cache.headCount === headCount && cache.valueWidth === valueWidth;
    if (!isAlike || cache.window !== window) {
      refuse('a cache', 'of the sizes of the others', 'of other heads, features or window');
    }
    if (count > cache.heldCount) {
      refuse('the number of tokens of a span', `at most ${cache.heldCount} held`, String(count));
    }
  }
  if (heads % headCount !== 0) {
    throw new ShapeError(`tensor: q has ${heads} heads, the cache ${headCount}.`, {
      expected: `a multiple of ${headCount}`,
      got: String(heads),
    });
  }
  const own = ranges.map((range) => placeOf(range, range.cache.heldCount));
  const places = allPlaces(own, entries, tokens);
  const bias = options.bias ?? null;
  const longest = own.reduce((most, { held }) => Math.max(most, held), 0);
  if (bias !== null) assertBias(bias, heads, longest);
  const rules = rulesOf(options, { width, window });
  const kernels = kernelsFor(own);
  if (kernels === null) {
    const composed = places as TokenPlace<ComposedKeyValues>[];
    return attendComposed(q, composed, { bias, rules, valueWidth });
  }
  const sizes = { headCount, width, valueWidth };
  const kept = places as TokenPlace<KernelKeyValues>[];
  return attendInPlace(q, bias, { kernels, sizes, places: kept, rules });
}

function rulesOf(
  { scale, scoreCap }: CachedAttentionOptions,
  { width, window }: { width: number; window: number | null },
): ScoreRules {
  if (scoreCap !== undefined && !(scoreCap > 0)) {
    refuse('the bound of scores', 'a number above 0', String(scoreCap));
  }
  const bounded = scoreCap ?? null;
  return { scale: scale ?? 1 / Math.sqrt(Math.max(width, 1)), scoreCap: bounded, window };
}

function assertBias(bias: tf.Tensor2D, heads: number, longest: number): void {
  const { S: length = 0 } = assertShape(bias, `${heads} S`, 'bias');
  assertDtype(bias, 'float32', 'bias');
  if (length >= longest) return;
  throw new ShapeError(`tensor: bias has ${length} positions, a text holds ${longest}.`, {
    expected: `[${heads}, ${longest}] or longer`,
    got: `[${heads}, ${length}]`,
  });
}
