/**
 * Counterparts among all rows of the other side: exactly, or by an index where there are very many.
 */
import type { Random } from '@lab/core';
import {
  HostRows,
  mutualNearest,
  nearestBothWays,
  type NearestPairs,
  nearestPairs,
  type PairRanks,
  rankPairs,
} from '@lab/tensor';
import type { ComparedRows } from '../compared-rows.js';
import type { AlignmentConfig } from '../config-fields.js';
import { approximateNearest, type BothWays, type SearchProgress } from './approximate-nearest.js';
import type { CandidateStore } from './candidate-store.js';
import { hostPair } from './host-pair.js';
import { bestCandidates, candidateRanks, nearnessOf } from './neighbours.js';
import { hasVectorIndex } from './vector-index.js';

/** Pairs of rows from which `auto` takes the index: two sides of 65,536. */
const INDEX_FROM = 2 ** 32;

/** How rows are searched. */
export interface SearchOptions {
  /** `evaluation.search` of a config. */
  readonly search: 'auto' | 'exact' | 'approximate';
  /** k of CSLS; 0 takes cosines. */
  readonly cslsNeighbours: number;
  /** Stream of the index. */
  readonly random: Random;
  readonly store?: CandidateStore | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined;
}

/** What stops a search, and hears how far it is. */
export type SearchWatch = Pick<SearchOptions, 'signal' | 'onProgress'>;

/** How many are wanted: of each left row, and of each right row; there 0 asks for none. */
export interface CandidateCounts {
  readonly forward: number;
  readonly backward: number;
}

const noPairs: NearestPairs = { indices: new Int32Array(0), scores: new Float32Array(0) };

/** What {@link searchBothWays} found. */
export interface FoundPairs {
  /** Of each left row. */
  readonly forward: NearestPairs;
  /** Of each right row. */
  readonly backward: NearestPairs;
}

/**
 * The best rows of the other side, in both directions, by CSLS.
 *
 * @throws {BackendError} when the approximate search is asked for without usearch.
 */
export async function searchBothWays(
  rows: ComparedRows,
  counts: CandidateCounts,
  options: SearchOptions,
): Promise<FoundPairs> {
  const { cslsNeighbours: k, signal } = options;
  if (await usesIndex(lengthsOf(rows), options.search)) {
    const bothWays = counts.backward > 0 || k > 0;
    const found = await approximateNearest(await hostPair(rows), { ...options, bothWays });
    const nearness = nearnessOfBoth(found, k);
    return {
      forward: bestCandidates(found.forward, nearness?.forward ?? null, counts.forward),
      backward: bestCandidates(found.backward, nearness?.backward ?? null, counts.backward),
    };
  }
  const common = { ...(k > 0 ? { csls: k } : {}), ...(signal === undefined ? {} : { signal }) };
  const { left, right } = rows;
  if (k === 0 && counts.forward === counts.backward) {
    return nearestBothWays({ left, right, k: counts.forward, ...common });
  }
  const forward = await nearestPairs({ left, right, k: counts.forward, ...common });
  if (counts.backward === 0) return { forward, backward: noPairs };
  const backward = await nearestPairs({ left: right, right: left, k: counts.backward, ...common });
  return { forward, backward };
}

/**
 * Ranks of true counterparts, exactly or among the candidates of an index.
 *
 * @param gold - position on the right of each left row's counterpart, -1 for none.
 */
export async function rankCounterparts(
  rows: ComparedRows,
  gold: Int32Array,
  options: SearchOptions,
): Promise<PairRanks> {
  const { cslsNeighbours: k, signal } = options;
  if (!(await usesIndex(lengthsOf(rows), options.search))) {
    const { left, right } = rows;
    const ranks = await rankPairs({
      ...{ left, right, gold, k: Math.max(1, k), csls: k > 0 },
      ...(signal === undefined ? {} : { signal }),
    });
    const remarks = isMany(lengthsOf(rows)) && options.search === 'auto' ? [slowSearch] : [];
    return { ...ranks, remarks: [...ranks.remarks, ...remarks] };
  }
  const found = await approximateNearest(await hostPair(rows), options);
  const nearness = nearnessOfBoth(found, k);
  const own = Int32Array.from(gold.keys()).filter((row) => gold[row]! >= 0);
  const counterparts = own.map((row) => gold[row]!);
  const [leftCount, rightCount] = [countOf(rows.left), countOf(rows.right)];
  const forward = candidateRanks(found.forward, nearness?.forward ?? null, {
    ...{ own, counterparts, last: rightCount },
  });
  const backward = candidateRanks(found.backward, nearness?.backward ?? null, {
    ...{ own: counterparts, counterparts: own, last: leftCount },
  });
  return {
    forwardRanks: forward.ranks,
    backwardRanks: backward.ranks,
    remarks: [missedText(found, { forward: forward.missed, backward: backward.missed })],
  };
}

/** Pairs that are each other's nearest by cosine, interleaved, by ascending left row. */
export async function searchMutual(
  rows: ComparedRows,
  options: Omit<SearchOptions, 'cslsNeighbours'>,
): Promise<Int32Array> {
  const { left, right } = rows;
  if (!(await usesIndex(lengthsOf(rows), options.search))) {
    const { signal } = options;
    return mutualNearest({ left, right, ...(signal === undefined ? {} : { signal }) });
  }
  const { forward, backward } = await approximateNearest(await hostPair(rows), options);
  const pairs: number[] = [];
  for (let row = 0; row < countOf(left); row += 1) {
    const column = forward.indices[row * forward.width]!;
    const isMutual = column >= 0 && backward.indices[column * backward.width] === row;
    if (isMutual) pairs.push(row, column);
  }
  return Int32Array.from(pairs);
}

const slowSearch =
  'Ranked exactly, which takes long for so many entities; with the package usearch installed the ' +
  'nearest of each are searched.';

function missedText(
  { forward }: BothWays,
  missed: { readonly forward: number; readonly backward: number },
): string {
  return (
    `Ranked among the ${forward.width} nearest of each entity, found by an index: ` +
    `${missed.forward} counterparts of the first graph and ${missed.backward} of the second are ` +
    'not among them and count as last of all. The metrics are approximate.'
  );
}

/** Whether an index is searched in place of all pairs of two sides. */
export async function usesIndex(
  { left, right }: Lengths,
  search: SearchOptions['search'],
): Promise<boolean> {
  if (search !== 'auto') return search === 'approximate';
  return isMany({ left, right }) && (await hasVectorIndex());
}

/** Whether pairs of two sides are scored by evidence: where asked for, and all are compared. */
export function weighsEvidence(
  sides: Lengths,
  { scores, search }: Pick<AlignmentConfig['evaluation'], 'scores' | 'search'>,
): boolean {
  return scores === 'evidence' && search !== 'approximate' && !isMany(sides);
}

interface Lengths {
  readonly left: { readonly length: number };
  readonly right: { readonly length: number };
}

const lengthsOf = ({ left, right }: ComparedRows): Lengths => ({
  left: { length: countOf(left) },
  right: { length: countOf(right) },
});

const isMany = ({ left, right }: Lengths) => left.length * right.length > INDEX_FROM;

const countOf = (rows: ComparedRows['left']) =>
  rows instanceof HostRows ? rows.rowCount : (rows[0]?.shape[0] ?? 0);

/** CSLS terms of both directions; null for cosines. */
function nearnessOfBoth({ forward, backward }: BothWays, k: number) {
  if (k === 0) return null;
  const left = nearnessOf(forward, k);
  const right = nearnessOf(backward, k);
  return { forward: { own: left, others: right }, backward: { own: right, others: left } };
}
