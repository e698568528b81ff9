/**
 * What two entities have around them in common.
 */
import { tf } from '@lab/tensor';
import { rowProducts } from './compared-rows.js';
import type { Encoding } from './learner.js';
import type { NeighbourIndex, RelationLink } from './neighbour-index.js';
import type { TrainingState } from './training-state.js';

/** How two neighbours are known to belong together. */
export type NeighbourKind = 'seed' | 'pseudo-seed' | 'similar';

/** A neighbour of the source and one of the target that belong together; dense indices. */
export interface NeighbourPair {
  readonly source: number;
  readonly target: number;
  readonly kind: NeighbourKind;
  /** Cosine of their fused vectors. */
  readonly cosine: number;
  /** Relations between the source and its neighbour, between the target and its one. */
  readonly sourceLinks: readonly RelationLink[];
  readonly targetLinks: readonly RelationLink[];
}

/** Neighbours of a pair, in common and not. */
export interface SharedNeighbours {
  /** Known pairs first, the rarest first; then the most similar ones. */
  readonly pairs: readonly NeighbourPair[];
  /** All known pairs of neighbours, also beyond those listed. */
  readonly knownCount: number;
  /** Neighbours of the source whose known counterpart is not next to the target; rarest first. */
  readonly targetLacks: readonly number[];
  /** The same the other way round. */
  readonly sourceLacks: readonly number[];
}

/** Known counterparts of each entity, of both graphs. */
export interface KnownPairs {
  counterpartsOf(entity: number): readonly number[];
  kindOf(source: number, target: number): 'seed' | 'pseudo-seed';
}

/** The seeds in use: those of the task, and accepted pseudo seeds. */
export function knownPairs({ task, seeds }: Pick<TrainingState, 'task' | 'seeds'>): KnownPairs {
  const counterparts = new Map<number, number[]>();
  const given = new Set<string>();
  const add = (one: number, other: number) => {
    counterparts.set(one, [...(counterparts.get(one) ?? []), other]);
  };
  for (let at = 0; at < seeds.length; at += 2) {
    add(seeds[at]!, seeds[at + 1]!);
    add(seeds[at + 1]!, seeds[at]!);
  }
  const { split } = task;
  for (let at = 0; at < split.seeds.length; at += 2) {
    given.add(`${split.seeds[at]} ${split.seeds[at + 1]}`);
  }
  return {
    counterpartsOf: (entity) => counterparts.get(entity) ?? [],
    kindOf: (source, target) => (given.has(`${source} ${target}`) ? 'seed' : 'pseudo-seed'),
  };
}

/** What neighbours are looked for with. */
export interface NeighbourSearch {
  readonly index: NeighbourIndex;
  readonly known: KnownPairs;
  readonly encoding: Encoding;
  /** Pairs that are listed. */
  readonly limit: number;
}

/** Neighbours of each side that are compared by their vectors, the rarest ones. */
const COMPARED = 200;

/** From this cosine on two neighbours are alike. */
const ALIKE = 0.5;

/** The neighbours that a pair has in common, and those that one of the two lacks. */
export async function sharedNeighbours(
  { source, target }: { readonly source: number; readonly target: number },
  { index, known, encoding, limit }: NeighbourSearch,
): Promise<SharedNeighbours> {
  const around = { source: index.linksOf(source), target: index.linksOf(target) };
  const byRarity = (a: number, b: number) => index.degreeOf(a) - index.degreeOf(b) || a - b;
  const neighbours = {
    source: [...around.source.keys()].sort(byRarity),
    target: [...around.target.keys()].sort(byRarity),
  };
  const found = knownAmong(neighbours.source, around.target, known);
  const rarity = (pair: Ends) => index.degreeOf(pair.source) * index.degreeOf(pair.target);
  found.sort((a, b) => rarity(a) - rarity(b));
  const isFree = (entity: number) => known.counterpartsOf(entity).length === 0;
  const free = {
    left: Int32Array.from(neighbours.source.filter(isFree).slice(0, COMPARED)),
    right: Int32Array.from(neighbours.target.filter(isFree).slice(0, COMPARED)),
  };
  const pairs = await comparedPairs(found.slice(0, limit), { free, known, encoding, limit });
  const lacking = (ends: readonly number[], own: number, its: ReadonlyMap<number, unknown>) =>
    ends.filter((end) => {
      const counterparts = known.counterpartsOf(end);
      return counterparts.length > 0 && !counterparts.some((one) => one === own || its.has(one));
    });
  return {
    pairs: pairs.map((pair) => ({
      ...pair,
      sourceLinks: around.source.get(pair.source)!,
      targetLinks: around.target.get(pair.target)!,
    })),
    knownCount: found.length,
    targetLacks: lacking(neighbours.source, target, around.target),
    sourceLacks: lacking(neighbours.target, source, around.source),
  };
}

/** Known pairs with their cosines, and similar ones up to the limit. */
async function comparedPairs(
  listed: readonly Ends[],
  search: Omit<NeighbourSearch, 'index'> & {
    readonly free: { readonly left: Int32Array; readonly right: Int32Array };
  },
) {
  const { free, known, encoding, limit } = search;
  const cosines = await neighbourCosines(encoding, listed);
  const similar = await similarPairs(encoding, free, limit - listed.length);
  return [
    ...listed.map((pair, at) => ({
      ...pair,
      kind: known.kindOf(pair.source, pair.target),
      cosine: cosines[at]!,
    })),
    ...similar.map((pair) => ({ ...pair, kind: 'similar' as const })),
  ];
}

/** Known pairs of a neighbour of the source and one of the target. */
function knownAmong(
  neighbours: readonly number[],
  others: ReadonlyMap<number, unknown>,
  known: KnownPairs,
): Ends[] {
  return neighbours.flatMap((source) =>
    known
      .counterpartsOf(source)
      .filter((target) => others.has(target))
      .map((target) => ({ source, target })),
  );
}

interface Ends {
  readonly source: number;
  readonly target: number;
}

/** Cosines of some pairs. */
async function neighbourCosines(
  encoding: Encoding,
  pairs: readonly Ends[],
): Promise<ArrayLike<number>> {
  if (pairs.length === 0) return [];
  const rows = await encoding.embed(
    {
      left: Int32Array.from(pairs, ({ source }) => source),
      right: Int32Array.from(pairs, ({ target }) => target),
    },
    null,
  );
  const products = await rowProducts(rows);
  rows.dispose();
  return products;
}

/** Pairs by falling cosine, every entity once. */
async function similarPairs(
  encoding: Encoding,
  { left, right }: { readonly left: Int32Array; readonly right: Int32Array },
  count: number,
): Promise<(Ends & { readonly cosine: number })[]> {
  if (count <= 0 || left.length === 0 || right.length === 0) return [];
  const rows = await encoding.embed({ left, right }, null);
  const products = tf.tidy(() => tf.matMul(rows.left[0]!, rows.right[0]!, false, true));
  rows.dispose();
  const values = await products.data();
  products.dispose();
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
  const taken = new Set<number>();
  const pairs: (Ends & { readonly cosine: number })[] = [];
  for (const at of order) {
    const source = left[Math.floor(at / right.length)]!;
    const target = right[at % right.length]!;
    if (values[at]! < ALIKE || pairs.length === count) break;
    if (taken.has(source) || taken.has(target)) continue;
    taken.add(source).add(target);
    pairs.push({ source, target, cosine: values[at]! });
  }
  return pairs;
}
