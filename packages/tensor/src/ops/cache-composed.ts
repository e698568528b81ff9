import type { ScoreRules, TokenPlace } from '../kernels/cached-attention.js';
import { tf } from '../tfjs.js';
import { softmaxOrZeros } from './attention-composed.js';

/** Keys `[G, S, F]` and values `[G, S, C]`. */
interface Held {
  readonly keys: tf.Tensor3D;
  readonly values: tf.Tensor3D;
}

/** Keys and values of a text as tensors of its own: what a backend without our kernels has. */
export class ComposedKeyValues {
  #held: Held | null = null;

  constructor(public capacity: number) {}

  get sizeBytes(): number {
    return this.#held === null ? 0 : 4 * (this.#held.keys.size + this.#held.values.size);
  }

  get held(): Held {
    return this.#held as Held;
  }

  grow(capacity: number): void {
    this.capacity = capacity;
  }

  append(added: Held): void {
    const old = this.#held;
    this.#replace(() =>
      old === null
        ? added
        : {
            keys: tf.concat([old.keys, added.keys], 1),
            values: tf.concat([old.values, added.values], 1),
          },
    );
  }

  /** Keeps `count` positions from `first` on. */
  keep(first: number, count: number): void {
    const old = this.#held;
    if (old === null) return;
    const part = (x: tf.Tensor3D) =>
      tf.slice(x, [0, first, 0], [x.shape[0], count, x.shape[2]]) as tf.Tensor3D;
    if (count === 0) this.dispose();
    else this.#replace(() => ({ keys: part(old.keys), values: part(old.values) }));
  }

  clone(): ComposedKeyValues {
    const made = new ComposedKeyValues(this.capacity);
    const own = this.#held;
    if (own !== null) {
      made.#replace(() => ({ keys: tf.clone(own.keys), values: tf.clone(own.values) }));
    }
    return made;
  }

  dispose(): void {
    if (this.#held !== null) tf.dispose([this.#held.keys, this.#held.values]);
    this.#held = null;
  }

  #replace(make: () => Held): void {
    const made = tf.tidy(() => {
      const { keys, values } = make();
      return { keys: tf.keep(keys), values: tf.keep(values) };
    });
    this.dispose();
    this.#held = made;
  }
}

type Place = TokenPlace<ComposedKeyValues>;

/** The tokens of a place, `[heads, count, features]`. */
function tokensOf(x: tf.Tensor4D, { entry, first, count }: Place): tf.Tensor3D {
  const [, heads, , features] = x.shape;
  const part = tf.slice(x, [entry, 0, first, 0], [1, heads, count, features]);
  return tf.reshape(part, [heads, count, features]);
}

/** Puts keys and values of new tokens behind those that their texts hold. */
export function appendComposed(
  keys: tf.Tensor4D,
  values: tf.Tensor4D,
  places: readonly Place[],
): void {
  tf.tidy(() => {
    for (const place of places) {
      if (place.count === 0) continue;
      place.store?.append({ keys: tokensOf(keys, place), values: tokensOf(values, place) });
    }
  });
}

/** Whether query t of `count` sees each key of `held`: `[count, held]`. */
function visibility({ count, held }: Place, window: number | null): tf.Tensor2D {
  const isSeen = Uint8Array.from({ length: count * held }, (_, at) => {
    const [key, own] = [at % held, held - count + Math.floor(at / held)];
    return Number(key <= own && (window === null || own - key < window));
  });
  return tf.tensor2d(isSeen, [count, held], 'bool');
}

/** What attention to one text is made of. */
interface Problem {
  readonly place: Place;
  readonly bias: tf.Tensor2D | null;
  readonly rules: ScoreRules;
}

/** Attention of `[H, n, F]` to what a text holds, `[H, n, C]`. */
function attended(q: tf.Tensor3D, { place, bias, rules }: Problem): tf.Tensor3D {
  const [heads, count, width] = q.shape;
  const { keys, values } = place.store!.held;
  const groups = keys.shape[0];
  const stacked = tf.reshape(q, [groups, (heads / groups) * count, width]);
  const products = tf.mul(tf.matMul(stacked, keys, false, true), rules.scale);
  const { scoreCap, window } = rules;
  const capped =
    scoreCap === null ? products : tf.mul(tf.tanh(tf.div(products, scoreCap)), scoreCap);
  const apart = tf.reshape(capped, [heads, count, place.held]);
  const biased =
    bias === null
      ? apart
      : tf.add(apart, tf.expandDims(tf.slice(bias, [0, 0], [heads, place.held]), 1));
  const hidden = tf.fill([1, 1, 1], Number.NEGATIVE_INFINITY);
  const shares = softmaxOrZeros(tf.where(visibility(place, window), biased, hidden));
  const grouped = tf.reshape(shares, [groups, (heads / groups) * count, place.held]);
  const collected = tf.matMul(grouped as tf.Tensor3D, values);
  return tf.reshape(collected, [heads, count, values.shape[2]]);
}

/** Attention of new tokens to what their texts hold, place by place; zeros for tokens of none. */
export function attendComposed(
  q: tf.Tensor4D,
  places: readonly Place[],
  problem: Omit<Problem, 'place'> & { readonly valueWidth: number },
): tf.Tensor4D {
  const [entries, heads, tokens] = q.shape;
  const { valueWidth } = problem;
  return tf.tidy(() => {
    const rows = Array.from({ length: entries }, (_, entry) => {
      const own = places
        .filter((place) => place.entry === entry && place.count > 0)
        .toSorted((a, b) => a.first - b.first);
      const results = own.map((place) =>
        place.store === null
          ? tf.zeros<tf.Rank.R3>([heads, place.count, valueWidth])
          : attended(tokensOf(q, place), { ...problem, place }),
      );
      return results.length === 0
        ? tf.zeros<tf.Rank.R3>([heads, 0, valueWidth])
        : tf.concat(results, 1);
    });
    if (rows.length === 0) return tf.zeros<tf.Rank.R4>([0, heads, tokens, valueWidth]);
    return tf.stack(rows) as tf.Tensor4D;
  });
}
