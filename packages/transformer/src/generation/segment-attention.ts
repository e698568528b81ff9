/**
 * Attention of new tokens of several texts, each to the keys of its own text.
 */
import {
  appendKeyValues,
  cachedAttention,
  type CachedAttentionOptions,
  type CacheSpan,
  type KeyValueCache,
  tf,
} from '@lab/tensor';
import type { BlockRules } from '../architecture.js';
import {
  type Heads,
  mixedByScores,
  type Mixing,
  repeated,
  type ScoreContext,
  wantsScores,
} from '../attention.js';
import { alibiBiases, HIDDEN } from '../positions.js';
import type { Segment } from './segment.js';

/** How the segments of a pass attend; made for a pass, freed by its maker. */
export class SegmentAttention {
  private readonly tables = new Map<string, tf.Tensor>();

  constructor(private readonly segments: readonly Segment[]) {}

  readonly mix: Mixing = (placed, context) => {
    const { architecture, block, rules } = context;
    const { query, key, value } = withEqualHeads(placed, architecture.headCount);
    const spans = this.spans(key, block, rules);
    appendKeyValues(key, value, spans);
    const isHooked = this.segments.map(({ hooks }) => wantsScores({ hooks, block }));
    const biases = this.biases(context, spans);
    if (!isHooked.includes(true)) return cachedAttention(query, spans, rulesOf(context, biases));
    const sizes = this.segments.map(({ ids }) => ids.length);
    const queries = tf.split(query, sizes, 2) as tf.Tensor4D[];
    const parts = this.segments.map(({ hooks }, at) => {
      const [own, { cache }] = [queries[at]!, spans[at]!];
      if (isHooked[at]) return this.byScores(own, cache, { ...context, hooks });
      return cachedAttention(own, [{ cache }], rulesOf(context, biases));
    });
    return tf.concat4d(parts, 2);
  };

  /** Which tokens belong to which text, with what is kept of it. */
  private spans({ shape }: tf.Tensor4D, block: number, { window }: BlockRules): CacheSpan[] {
    const [, headCount, , width] = shape;
    const sizes = { headCount, width, ...(window !== null && { window }) };
    let end = 0;
    return this.segments.map(({ cache, ids }) => {
      const start = end;
      end += ids.length;
      return { cache: cache.block(block, sizes), start, end };
    });
  }

  private byScores(query: tf.Tensor4D, cache: KeyValueCache, context: ScoreContext): tf.Tensor4D {
    const { keys, values } = cache.read();
    const [heads, held] = [context.architecture.headCount, cache.heldCount];
    const all = { query, key: tf.expandDims(keys), value: tf.expandDims(values) } as Heads;
    const mask = this.mask(query.shape[2], held, context.rules.window);
    const found = this.alibi(context, held);
    const shape: [number, number, number, number] = [1, heads, 1, held];
    return mixedByScores(all, context, { mask, biases: found && tf.reshape(found, shape) });
  }

  /** Hides keys behind a query and before its window, `[1, 1, T, S]`. */
  private mask(count: number, held: number, window: number | null): tf.Tensor4D {
    return this.table(['mask', count, held, window].join(), () => {
      const values = Float32Array.from({ length: count * held }, (_, at) => {
        const behind = Math.floor(at / held) + held - count - (at % held);
        return behind >= 0 && (window === null || behind < window) ? 0 : HIDDEN;
      });
      return tf.tensor4d(values, [1, 1, count, held]);
    });
  }

  /** Biases of the keys of the longest text, times the scale of scores; null for none. */
  private biases(context: ScoreContext, spans: readonly CacheSpan[]): tf.Tensor2D | null {
    const longest = spans.reduce((most, { cache }) => Math.max(most, cache.heldCount), 0);
    const biases = this.alibi(context, longest);
    return biases && tf.mul(biases, context.rules.scoreScale);
  }

  /** Biases of ALiBi of so many keys, `[H, S]`; null where there are none. */
  private alibi({ architecture }: ScoreContext, count: number): tf.Tensor2D | null {
    const { positions, headCount } = architecture;
    if (positions.kind !== 'alibi') return null;
    return this.table(['alibi', count].join(), () => {
      const places = Int32Array.from({ length: count }, (_, at) => at);
      return tf.tensor2d(alibiBiases(headCount, places), [headCount, count]);
    });
  }

  /** A table that all blocks share; made once in a pass. */
  private table<T extends tf.Tensor>(name: string, make: () => T): T {
    const made = (this.tables.get(name) as T | undefined) ?? tf.keep(make());
    this.tables.set(name, made);
    return made;
  }

  dispose(): void {
    for (const table of this.tables.values()) table.dispose();
  }
}

function rulesOf(
  { architecture: { scoreCap }, rules: { scoreScale: scale } }: ScoreContext,
  bias: tf.Tensor2D | null,
): CachedAttentionOptions {
  return { scale, ...(scoreCap !== null && { scoreCap }), ...(bias !== null && { bias }) };
}

/** Keys and values as often as the other has heads, where a hook wanted one of them so. */
function withEqualHeads(placed: Heads, headCount: number): Heads {
  const { query, key, value } = placed;
  if (key.shape[1] === value.shape[1]) return placed;
  return { query, key: repeated(key, headCount), value: repeated(value, headCount) };
}
