/**
 * Attention heads by layer and number, and rankings of them.
 */
import { ConfigError, ModelError } from '@lab/core';

/** A head; both numbers count from 0. */
export interface HeadId {
  readonly layer: number;
  /** Head of queries, or head of keys and values where groups are ablated. */
  readonly head: number;
}

/** A head and what ablating it changes. */
export interface ScoredHead extends HeadId {
  readonly score: number;
}

/** How many heads there are. */
export interface HeadCounts {
  readonly layerCount: number;
  readonly headCount: number;
}

/** A head as text, layer first, such as `2-26`. */
export const headKey = ({ layer, head }: HeadId): string => `${layer}-${head}`;

/**
 * The head that a text such as `2-26` names: layer 2, head 26.
 *
 * @param asker - begins the message of the error.
 * @throws {ConfigError} for another text.
 */
export function parseHead(text: string, asker = 'sahara'): HeadId {
  const [, layer, head] = /^\s*(\d+)\s*-\s*(\d+)\s*$/.exec(text) ?? [];
  if (layer !== undefined && head !== undefined) {
    return { layer: Number(layer), head: Number(head) };
  }
  throw new ConfigError(`${asker}: "${text}" is no head.`, {
    help: 'Write layer and head from 0, with a hyphen: 2-26 is head 26 of layer 2.',
  });
}

/**
 * Checks heads of a group.
 *
 * @throws {ConfigError} for a layer or head out of range, with the ranges, and for a head that is
 *   named twice.
 */
export function assertHeads(heads: readonly HeadId[], counts: HeadCounts, asker: string): void {
  const { layerCount, headCount } = counts;
  const isIn = (value: number, count: number) =>
    Number.isInteger(value) && value >= 0 && value < count;
  const seen = new Set<string>();
  for (const one of heads) {
    const key = headKey(one);
    if (!isIn(one.layer, layerCount) || !isIn(one.head, headCount)) {
      throw new ConfigError(`${asker}: there is no head ${key}.`, {
        help: `Layers are 0 to ${layerCount - 1}, heads 0 to ${headCount - 1}.`,
        details: { layer: one.layer, head: one.head, layerCount, headCount },
      });
    }
    if (seen.has(key)) {
      throw new ConfigError(`${asker}: head ${key} is named twice.`, {
        help: 'Name each head of a group once.',
      });
    }
    seen.add(key);
  }
}

/** All heads, layer by layer. */
export const allHeads = ({ layerCount, headCount }: HeadCounts): HeadId[] =>
  Array.from({ length: layerCount * headCount }, (_, at) => ({
    layer: Math.floor(at / headCount),
    head: at % headCount,
  }));

/**
 * Heads by falling score; of equal ones the smaller layer, then the smaller head, comes first.
 *
 * @param scores - `[L, H]`; null where a head was not scored.
 * @param count - the best so many; default all.
 * @throws {ModelError} for a score that is not a number: it would win or lose by chance.
 */
export function rankHeads(
  scores: readonly (readonly (number | null)[])[],
  count = Infinity,
): ScoredHead[] {
  const heads = scores.flatMap((row, layer) =>
    row.flatMap((score, head): ScoredHead[] => (score === null ? [] : [{ layer, head, score }])),
  );
  const bad = heads.find(({ score }) => !Number.isFinite(score));
  if (bad !== undefined) {
    throw new ModelError(`sahara/rankHeads: head ${headKey(bad)} has the score ${bad.score}.`, {
      help: 'Load the checkpoint in float32; values may have overflown.',
    });
  }
  // Sorting is stable: heads come in the order of layers.
  return heads.toSorted((a, b) => b.score - a.score).slice(0, count);
}

/** A score below this share of the highest is rounding. */
const ROUNDING = 1e-9;

/**
 * How many of the best heads have a score worth the name, at most `most`, at least one: those
 * behind are in the order of layers, and what they share with another ranking means nothing.
 *
 * @param all - matrices that are compared; the least of their counts.
 */
export function leadingCount(
  all: readonly { readonly scores: readonly (readonly (number | null)[])[] }[],
  most: number,
): number {
  const counts = all.map(({ scores }) => {
    const ranked = rankHeads(scores);
    const least = ROUNDING * Math.max(0, ranked[0]?.score ?? 0);
    return ranked.filter(({ score }) => score > least).length;
  });
  return Math.max(1, Math.min(most, ...counts));
}

/** Groups of heads that have one score, each of two or more, by falling score; zeros apart. */
export function tiedHeads(scores: readonly (readonly (number | null)[])[]): HeadId[][] {
  const byScore = new Map<number, HeadId[]>();
  for (const { layer, head, score } of rankHeads(scores)) {
    byScore.set(score, [...(byScore.get(score) ?? []), { layer, head }]);
  }
  return [...byScore].flatMap(([score, heads]) => (score > 0 && heads.length > 1 ? [heads] : []));
}
