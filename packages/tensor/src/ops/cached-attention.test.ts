import { BackendError, createRandom, DataError, ShapeError } from '@lab/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { normals } from '../__fixtures__/numbers.js';
import { expectSameBits } from '../__fixtures__/thread-bits.js';
import {
  appendKeyValues,
  cachedAttention,
  type CachedAttentionOptions,
  type CacheSpan,
  createKeyValueCache,
  type KeyValueCache,
  type KeyValueCacheOptions,
  memoryReport,
  scaledDotProductAttention,
  selectBackend,
  tf,
} from '../index.js';
import { expectNoLeak } from '../testing.js';

const [GROUPS, HEADS, WIDTH, VALUE_WIDTH] = [2, 6, 8, 5];
const SIZES = { headCount: GROUPS, width: WIDTH, valueWidth: VALUE_WIDTH };

/** Keys and values of some tokens, the same in every run. */
const sidesOf = (name: string, tokens: number, entries = 1) => ({
  q: normals(`${name} q`, [entries, HEADS, tokens, WIDTH]) as tf.Tensor4D,
  keys: normals(`${name} k`, [entries, GROUPS, tokens, WIDTH]) as tf.Tensor4D,
  values: normals(`${name} v`, [entries, GROUPS, tokens, VALUE_WIDTH]) as tf.Tensor4D,
});

type Sides = ReturnType<typeof sidesOf>;

/** The tokens from `start` to `end` of all three. */
function part({ q, keys, values }: Sides, start: number, end: number): Sides {
  const own = (x: tf.Tensor4D) => {
    const [entries, heads, , features] = x.shape;
    return tf.slice(x, [0, 0, start, 0], [entries, heads, end - start, features]) as tf.Tensor4D;
  };
  return { q: own(q), keys: own(keys), values: own(values) };
}

interface Rules extends CachedAttentionOptions {
  readonly window?: number;
}

/** Attention of a text of one entry in float64, by its definition: `[H, T, C]`. */
async function wanted({ q, keys, values }: Sides, rules: Rules = {}): Promise<Float64Array> {
  const [, heads, tokens] = q.shape;
  const { scale = 1 / Math.sqrt(WIDTH), scoreCap, window = Infinity } = rules;
  const [queries, k, v] = [await q.data(), await keys.data(), await values.data()];
  const bias = rules.bias === undefined ? null : await rules.bias.data();
  const out = new Float64Array(heads * tokens * VALUE_WIDTH);
  for (let h = 0; h < heads; h += 1) {
    const group = Math.floor((h * GROUPS) / heads);
    for (let t = 0; t < tokens; t += 1) {
      const scores: number[] = [];
      for (let j = 0; j <= t; j += 1) {
        let product = 0;
        for (let d = 0; d < WIDTH; d += 1) {
          product += queries[(h * tokens + t) * WIDTH + d]! * k[(group * tokens + j) * WIDTH + d]!;
        }
        const scaled = scale * product;
        const capped = scoreCap === undefined ? scaled : scoreCap * Math.tanh(scaled / scoreCap);
        const added = bias === null ? 0 : bias[h * rules.bias!.shape[1] + j]!;
        scores.push(t - j < window ? capped + added : Number.NEGATIVE_INFINITY);
      }
      const top = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - top));
      const sum = weights.reduce((a, b) => a + b, 0);
      for (let d = 0; d < VALUE_WIDTH; d += 1) {
        const total = weights.reduce(
          (all, weight, j) => all + weight * v[(group * tokens + j) * VALUE_WIDTH + d]!,
          0,
        );
        out[(h * tokens + t) * VALUE_WIDTH + d] = total / sum;
      }
    }
  }
  return out;
}

function farthest(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length);
  return Array.from(expected, (value, at) => Math.abs(value - found[at]!)).reduce(
    (most, one) => (one > most || Number.isNaN(one) ? one : most),
    0,
  );
}

/** One text through a cache, so many tokens at a time: `[H, T, C]`. */
function inSteps(cache: KeyValueCache, sides: Sides, steps: readonly number[], rules: Rules = {}) {
  return tf.tidy(() => {
    let start = 0;
    const parts = steps.map((count) => {
      const own = part(sides, start, start + count);
      start += count;
      appendKeyValues(own.keys, own.values, [{ cache }]);
      return cachedAttention(own.q, [{ cache }], rules);
    });
    return tf.squeeze(tf.concat(parts, 2), [0]);
  });
}

const caches: KeyValueCache[] = [];
function cacheOf(options: Partial<KeyValueCacheOptions> = {}): KeyValueCache {
  const cache = createKeyValueCache({ ...SIZES, ...options });
  caches.push(cache);
  return cache;
}
afterEach(() => {
  for (const cache of caches.splice(0)) cache.dispose();
});
afterAll(async () => {
  await selectBackend('wasm');
});

describe.each(['cpu', 'wasm'] as const)('attention to a cache on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend, { threads: 1 });
  });

  const RULES: readonly (readonly [string, Rules])[] = [
    ['plain', {}],
    ['with a scale', { scale: 0.7 }],
    ['with bounded scores', { scoreCap: 1.5, scale: 1 }],
    ['with a window', { window: 5 }],
  ];

  test.each(RULES)('%s is that of float64, whatever the steps', async (_, rules) => {
    const sides = sidesOf('text', 23);
    const expected = await wanted(sides, rules);
    for (const steps of [[23], [7, 1, 1, 1, 6, 7], new Array<number>(23).fill(1)]) {
      const { window } = rules;
      const cache = cacheOf(window === undefined ? { capacity: 3 } : { window, capacity: 3 });
      const found = await inSteps(cache, sides, steps, rules).data();
      expect(farthest(found, expected)).toBeLessThan(2e-6);
      expect(cache.length).toBe(23);
      expect(cache.capacity % 64 === 0).toBe(true);
    }
  });

  test('a bias is added for each head and position', async () => {
    const sides = sidesOf('text', 9);
    const bias = normals('bias', [HEADS, 12]) as tf.Tensor2D;
    const expected = await wanted(sides, { bias });
    const found = await inSteps(cacheOf(), sides, [4, 5], { bias }).data();
    expect(farthest(found, expected)).toBeLessThan(2e-6);
  });

  test('keys that are all hidden give zeros', async () => {
    const bias = tf.fill<tf.Rank.R2>([HEADS, 3], Number.NEGATIVE_INFINITY);
    const found = await inSteps(cacheOf(), sidesOf('text', 3), [3], { bias }).data();
    expect([...found].every((value) => value === 0)).toBe(true);
  });

  test('NaN stays with the tokens that see it', async () => {
    const cache = cacheOf();
    const { q, values } = sidesOf('text', 3);
    const keys = tf.tensor4d(
      new Float32Array(GROUPS * 3 * WIDTH).map((_, at) => (at === WIDTH ? Number.NaN : 1)),
      [1, GROUPS, 3, WIDTH],
    );
    appendKeyValues(keys, values, [{ cache }]);
    const found = await cachedAttention(q, [{ cache }]).data();
    const isNaN = Array.from({ length: HEADS * 3 }, (_, row) =>
      Number.isNaN(found[row * VALUE_WIDTH]),
    );
    expect(isNaN.slice(0, 3)).toEqual([false, true, true]);
    expect(isNaN.slice(9)).toEqual(new Array(9).fill(false));
  });

  test('texts of any lengths stand side by side in one entry, or each in its own', async () => {
    const lengths = [5, 1, 3];
    const texts = lengths.map((length, at) => sidesOf(`text ${at}`, length));
    const expected = await Promise.all(texts.map((text) => wanted(text)));
    const row = (name: keyof Sides) =>
      tf.concat(
        texts.map((text) => text[name]),
        2,
      ) as tf.Tensor4D;
    const own = texts.map(() => cacheOf());
    const spans = own.map((cache, at) => {
      const start = lengths.slice(0, at).reduce((a, b) => a + b, 0);
      return { cache, start, end: start + lengths[at]! };
    });
    appendKeyValues(row('keys'), row('values'), spans);
    const found = (await cachedAttention(row('q'), spans).array()) as number[][][][];
    spans.forEach(({ start, end }, at) => {
      const mine = found[0]!.flatMap((head) => head.slice(start, end).flat());
      expect(farthest(mine, expected[at]!)).toBeLessThan(2e-6);
    });
    const padded = (name: keyof Sides) =>
      tf.concat(
        texts.map((text, at) =>
          tf.pad(text[name], [
            [0, 0],
            [0, 0],
            [6 - lengths[at]!, 1],
            [0, 0],
          ]),
        ),
        0,
      ) as tf.Tensor4D;
    const others = texts.map(() => cacheOf());
    const entries = others.map((cache, entry) => ({
      ...{ cache, entry, start: 6 - lengths[entry]!, end: 6 },
    }));
    appendKeyValues(padded('keys'), padded('values'), entries);
    const rows = (await cachedAttention(padded('q'), entries).array()) as number[][][][];
    entries.forEach(({ entry, start, end }) => {
      const mine = rows[entry]!.flatMap((head) => head.slice(start, end).flat());
      expect(farthest(mine, expected[entry]!)).toBeLessThan(2e-6);
      const rest = rows[entry]!.flatMap((head) => [...head.slice(0, start), ...head.slice(end)]);
      expect(rest.flat().every((value) => value === 0)).toBe(true);
    });
  });

  test('results are not changed by what is appended later', async () => {
    const cache = cacheOf({ capacity: 8 });
    const sides = sidesOf('text', 4);
    appendKeyValues(sides.keys, sides.values, [{ cache }]);
    const first = cachedAttention(sides.q, [{ cache }]);
    const held = cache.read();
    const before = [await first.data(), await held.keys.data(), await held.values.data()].map(
      (values) => values.slice(),
    );
    cache.truncate(0);
    const other = sidesOf('other', 4);
    appendKeyValues(other.keys, other.values, [{ cache }]);
    expect([await first.data(), await held.keys.data(), await held.values.data()]).toEqual(before);
    expect(await cache.read().keys.data()).toEqual(await other.keys.data());
  });

  test('a text goes on from a shorter length, from a clone, and anew', async () => {
    const cache = cacheOf({ capacity: 2 });
    const [sides, other] = [sidesOf('text', 70), sidesOf('other', 70)];
    await inSteps(cache, sides, [60, 10]).data();
    expect(cache.capacity).toBe(128);
    const clone = cache.clone();
    caches.push(clone);
    for (const one of [cache, clone]) {
      one.truncate(12);
      const rest = part(sides, 12, 70);
      appendKeyValues(rest.keys, rest.values, [{ cache: one }]);
      const found = await cachedAttention(rest.q, [{ cache: one }]).array();
      const all = (await wanted(sides)) as ArrayLike<number>;
      const expected = Array.from({ length: HEADS }, (_, head) =>
        Array.from(all).slice((head * 70 + 12) * VALUE_WIDTH, (head + 1) * 70 * VALUE_WIDTH),
      );
      expect(farthest((found as number[][][][]).flat(3), expected.flat())).toBeLessThan(2e-6);
    }
    cache.truncate(0);
    expect(cache.length).toBe(0);
    const found = await inSteps(cache, other, [70]).data();
    expect(farthest(found, await wanted(other))).toBeLessThan(2e-6);
    expect(clone.length).toBe(70);
  });

  test('a window bounds what is held', async () => {
    const cache = cacheOf({ window: 10 });
    const sides = sidesOf('text', 400);
    const found = await inSteps(cache, sides, new Array<number>(400).fill(1), {}).data();
    expect(farthest(found, await wanted(sides, { window: 10 }))).toBeLessThan(2e-6);
    expect(cache.length).toBe(400);
    expect(cache.capacity).toBeLessThanOrEqual(128);
    expect(() => cache.truncate(200)).toThrow(DataError);
    cache.truncate(399);
    expect(cache.length).toBe(399);
  });

  test('nothing is left over, in no tensor and in no memory', async () => {
    const sides = sidesOf('text', 5);
    const step = () => {
      const cache = createKeyValueCache({ ...SIZES, capacity: 1 });
      const found = inSteps(cache, sides, [3, 1, 1]);
      cache.clone().dispose();
      cache.dispose();
      return found;
    };
    expect(await expectNoLeak(step)).toBeUndefined();
    const before = memoryReport().tensorBytes;
    step().dispose();
    expect(memoryReport().tensorBytes).toBe(before);
  });

  test('what does not fit is refused with numbers, and nothing was changed', () => {
    const cache = cacheOf();
    const [sides, another] = [sidesOf('text', 4), cacheOf()];
    const { q, keys, values } = sides;
    const append =
      (span: Partial<CacheSpan>, ...more: CacheSpan[]) =>
      () =>
        appendKeyValues(keys, values, [{ cache, ...span }, ...more]);
    expect(append({ entry: 1 })).toThrow(DataError);
    expect(append({ start: 3, end: 2 })).toThrow('3 .. 2');
    expect(append({ end: 5 })).toThrow('0 .. 5');
    expect(append({}, { cache })).toThrow('two spans');
    expect(append({}, { cache: another, start: 3 })).toThrow('token 3 of entry 0');
    expect(() => appendKeyValues(values, keys, [{ cache }])).toThrow(ShapeError);
    expect(() => appendKeyValues(q, q, [{ cache }])).toThrow(ShapeError);
    expect(cache.length).toBe(0);
    expect(() => cachedAttention(q, [{ cache }])).toThrow('at most 0 held');
    append({})();
    const single = tf.slice(q, 0, [1, 1, 4, WIDTH]) as tf.Tensor4D;
    expect(() => cachedAttention(single, [{ cache }])).toThrow('q has 1 heads, the cache 2');
    expect(() => cachedAttention(q, [])).toThrow(DataError);
    expect(() => cachedAttention(q, [{ cache }], { scoreCap: 0 })).toThrow(DataError);
    expect(() => cachedAttention(q, [{ cache }], { bias: tf.zeros([HEADS, 3]) })).toThrow(
      'bias has 3 positions, a text holds 4',
    );
    expect(() =>
      cachedAttention(q, [{ cache }, { cache: cacheOf({ window: 3 }), end: 0 }]),
    ).toThrow(DataError);
    expect(() => cache.truncate(5)).toThrow('0 .. 4');
    expect(() => createKeyValueCache({ headCount: 0, width: 3 })).toThrow('headCount 0');
    cache.dispose();
    expect(() => cache.read()).toThrow(BackendError);
  });
});

test('a cache of another backend is refused', async () => {
  await selectBackend('wasm');
  const cache = cacheOf();
  await selectBackend('cpu');
  expect(() => cache.read()).toThrow('made on another backend than cpu');
  await selectBackend('wasm');
});

describe('on several threads', () => {
  const lengths = [700, 1, 257];
  const random = createRandom(1);
  const counts = lengths.map(() => 1 + random.integer(3));

  /** Attention of the last tokens of several texts, all in one entry. */
  function together(): tf.Tensor[] {
    const texts = lengths.map((length, at) => sidesOf(`long ${at}`, length));
    const own = texts.map(() => createKeyValueCache(SIZES));
    const results = tf.tidy(() => {
      texts.forEach(({ keys, values }, at) => appendKeyValues(keys, values, [{ cache: own[at]! }]));
      const lasts = texts.map((text, at) =>
        part(text, lengths[at]! - Math.min(counts[at]!, lengths[at]!), lengths[at]!),
      );
      const q = tf.concat(
        lasts.map((text) => text.q),
        2,
      ) as tf.Tensor4D;
      let end = 0;
      const spans = own.map((cache, at) => {
        const start = end;
        end += lasts[at]!.q.shape[2];
        return { cache, start, end };
      });
      const all = cachedAttention(q, spans);
      const alone = spans.map(({ cache, start }, at) => {
        const count = spans[at]!.end - start;
        const mine = tf.slice(q, [0, 0, start, 0], [1, HEADS, count, WIDTH]) as tf.Tensor4D;
        return cachedAttention(mine, [{ cache }]);
      });
      const prefill = cachedAttention(texts[0]!.q, [{ cache: own[0]! }]);
      return [all, ...alone, prefill];
    });
    for (const cache of own) cache.dispose();
    return results;
  }

  test('bits are those of one, and a text has those that it has alone', async () => {
    await selectBackend('wasm');
    await expectSameBits(together);
    const [all, ...alone] = together() as [tf.Tensor4D, ...tf.Tensor4D[]];
    let start = 0;
    for (const mine of alone.slice(0, lengths.length)) {
      const count = mine.shape[2];
      const part = tf.slice(all, [0, 0, start, 0], mine.shape);
      expect(await part.data()).toEqual(await mine.data());
      start += count;
    }
    const text = sidesOf('long 0', lengths[0]!);
    const plain = scaledDotProductAttention(text.q, text.keys, text.values, { causal: true });
    expect(farthest(await alone.at(-1)!.data(), await plain.data())).toBeLessThan(2e-6);
    tf.dispose([all, ...alone, plain]);
  });
});
