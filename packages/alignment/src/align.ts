/**
 * The alignment itself: for every entity of the first graph its counterpart in the second, with a
 * score, a margin and a confidence.
 */
import { checkOptions } from '@lab/core';
import { greedyOneToOne, sinkhorn } from '@lab/graph';
import { HostRows } from '@lab/tensor';
import { callSchemas } from './call-fields.js';
import { type ComparedRows, comparedRows } from './compared-rows.js';
import {
  type ConfidenceModel,
  confidenceOf,
  fitConfidence,
  type PairEvidence,
} from './confidence.js';
import type { Encoding, EntitySides } from './learner.js';
import type { Matching } from './matchings.js';
import { type CandidateStore, createCandidateStore } from './search/candidate-store.js';
import {
  type CandidateCounts,
  type FoundPairs,
  type SearchOptions,
  searchBothWays,
  usesIndex,
} from './search/search.js';
import type { TrainingState } from './training-state.js';

/** How many candidates of an entity are looked at, for one-to-one matching and for reports. */
const CANDIDATES = 10;

/** Sources of a target that are looked at: the best, and its rival. */
const RIVALS = 2;

/** Ranked candidates of some sources among some targets. */
export interface CandidateTable {
  /** Dense indices of the sources, `[n]`, and of the targets, `[m]`. */
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  /** Positions in `targets`, best first, `[n, width]`; -1 where there are fewer. */
  readonly indices: Int32Array;
  /** CSLS scores, `[n, width]`. */
  readonly scores: Float32Array;
  readonly width: number;
  /** For every target its two best sources (positions) and their scores, `[m, 2]`. */
  readonly backwardIndices: Int32Array;
  readonly backwardScores: Float32Array;
}

/** A proposed pair. */
export interface AlignedPair extends PairEvidence {
  /** Dense indices of both entities. */
  readonly source: number;
  readonly target: number;
  /** Probability that the pair is right, 0..1; null when nothing was there to calibrate on. */
  readonly confidence: number | null;
}

/** Options of `alignEntities`. */
export interface AlignOptions {
  /**
   * `best` lists the best target of every source; `mutual` keeps mutual best pairs; `greedy` takes
   * pairs by score so that every target is used once; `sinkhorn` does so with scores that weigh all
   * rivals against each other (Cuturi 2013), which serves where most entities have a counterpart.
   */
  readonly matching?: Matching | undefined;
  /**
   * Pairs with a lower confidence (or, uncalibrated, margin) are left out: no counterpart. Default
   * 0, which keeps all.
   */
  readonly minConfidence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of `candidateTable`. */
export interface CandidateOptions {
  /** The model as it is, kept by the caller; without it all entities are encoded. */
  readonly encoding?: Encoding | undefined;
  /** Whose entities ask: with `target`, `sources` of the table are those of the second graph. */
  readonly side?: 'source' | 'target' | undefined;
  /**
   * Folder for the rows and candidates of very many entities, batch by batch: a search that was
   * killed goes on there, and the next one finds them.
   */
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: SearchOptions['onProgress'];
}

/**
 * Candidates of every entity that is in no training seed, among such entities of the other graph;
 * the entities of the first graph ask, unless `side` says otherwise.
 *
 * Similarity is the cosine of the vectors with CSLS, as in the evaluation.
 */
export async function candidateTable(
  state: TrainingState,
  options: CandidateOptions = {},
): Promise<CandidateTable> {
  checkOptions('alignment/candidateTable', options, callSchemas.candidates);
  const { config, task } = state;
  const seeded = new Set(task.split.seeds);
  const left = task.data.left.filter((entity) => !seeded.has(entity));
  const right = task.data.right.filter((entity) => !seeded.has(entity));
  const isReversed = options.side === 'target';
  const [sources, targets] = isReversed ? [right, left] : [left, right];
  if (sources.length === 0 || targets.length === 0) return emptyTable(sources, targets);
  const counts = isReversed
    ? { forward: RIVALS, backward: CANDIDATES }
    : { forward: CANDIDATES, backward: RIVALS };
  const found = await searchCandidates(state, { left, right }, { ...options, counts });
  const [asked, answering] = isReversed
    ? [found.backward, found.forward]
    : [found.forward, found.backward];
  return {
    sources,
    targets,
    ...asked,
    width: CANDIDATES,
    backwardIndices: answering.indices,
    backwardScores: answering.scores,
  };
}

/** The best of both sides; an encoding that is made for them is freed before the search. */
async function searchCandidates(
  state: TrainingState,
  sides: EntitySides,
  options: CandidateOptions & { readonly counts: CandidateCounts },
): Promise<FoundPairs> {
  const { search, cslsNeighbours } = state.config.evaluation;
  const { folder, signal, onProgress } = options;
  const isStored = folder !== undefined && (await usesIndex(sides, search));
  const store = isStored ? createCandidateStore(folder, storeKey(state)) : undefined;
  const rows = await candidateRows(state, sides, { given: options.encoding, store, signal });
  try {
    const random = state.random.fork('search');
    const how = { search, cslsNeighbours, random, store, signal, onProgress };
    return await searchBothWays(rows, options.counts, how);
  } finally {
    rows.dispose();
  }
}

/** On what the rows of a trained model depend. */
const storeKey = ({ config, epoch, task: { data, split } }: TrainingState) => ({
  ...{ config, epoch, entities: data.entityCount, seeds: split.seeds.length },
});

/** Rows of both sides: those in the store, or computed and, where they are many, put there. */
async function candidateRows(
  { learner, random }: TrainingState,
  sides: EntitySides,
  { given, store, signal }: RowOptions,
): Promise<ComparedRows> {
  const sizes = { left: sides.left.length, right: sides.right.length };
  const stored = await store?.rows(sizes);
  if (stored !== undefined) return { ...stored, dispose: () => {} };
  const encoding = given ?? learner.encode();
  const rows = await comparedRows(encoding, sides, { random: random.fork('align'), signal });
  if (given === undefined) encoding.dispose();
  const { left, right } = rows;
  if (left instanceof HostRows && right instanceof HostRows)
    await store?.writeRows({ left, right });
  return rows;
}

interface RowOptions {
  readonly given: Encoding | undefined;
  readonly store: CandidateStore | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The table of sources that have no candidates, or of no sources. */
function emptyTable(sources: Int32Array, targets: Int32Array): CandidateTable {
  const none = (count: number) => ({
    indices: new Int32Array(count).fill(-1),
    scores: new Float32Array(count).fill(Number.NEGATIVE_INFINITY),
  });
  const backward = none(2 * targets.length);
  return {
    sources,
    targets,
    ...none(CANDIDATES * sources.length),
    width: CANDIDATES,
    backwardIndices: backward.indices,
    backwardScores: backward.scores,
  };
}

/** What the table says about one source and one of its candidates. */
export function evidenceOf(table: CandidateTable, row: number, rank = 0): PairEvidence {
  const { width, indices, scores, backwardIndices, backwardScores } = table;
  const at = row * width + rank;
  const target = indices[at]!;
  const score = scores[at]!;
  const rival = rank === 0 ? scores[row * width + 1] : scores[row * width];
  const isBestSource = backwardIndices[2 * target] === row;
  const otherSource = backwardScores[2 * target + (isBestSource ? 1 : 0)]!;
  const bounded = (value: number | undefined) =>
    value === undefined || !Number.isFinite(value) ? score - 1 : value;
  return {
    score,
    margin: score - bounded(width > 1 ? rival : undefined),
    backwardMargin: score - bounded(otherSource),
    mutual: rank === 0 && isBestSource,
  };
}

/** Best candidates of some sources and whether they are right. */
export interface JudgedPairs {
  readonly evidence: readonly PairEvidence[];
  readonly isRight: readonly boolean[];
}

/** Evidence and truth of the best candidate of each pair's source; seeded sources are left out. */
export function judgePairs(table: CandidateTable, pairs: Int32Array): JudgedPairs {
  const rowOf = new Map(Array.from(table.sources, (entity, row) => [entity, row]));
  const evidence: PairEvidence[] = [];
  const isRight: boolean[] = [];
  for (let at = 0; at < pairs.length; at += 2) {
    const row = rowOf.get(pairs[at]!);
    if (row === undefined) continue;
    evidence.push(evidenceOf(table, row));
    isRight.push(table.targets[table.indices[row * table.width]!] === pairs[at + 1]);
  }
  return { evidence, isRight };
}

/**
 * A confidence fitted on the validation pairs: seeds that were kept out of training.
 *
 * @returns null without enough validation pairs (`data.validationShare`).
 */
export function calibrate(table: CandidateTable, validation: Int32Array): ConfidenceModel | null {
  const { evidence, isRight } = judgePairs(table, validation);
  return fitConfidence(evidence, isRight);
}

/**
 * Proposed pairs, surest first.
 *
 * @returns one pair per source at most; sources below `minConfidence` have none.
 */
export function alignEntities(
  table: CandidateTable,
  confidence: ConfidenceModel | null,
  options: AlignOptions = {},
): AlignedPair[] {
  checkOptions('alignment/alignEntities', options, callSchemas.align);
  const { matching = 'best', minConfidence = 0 } = options;
  const isOneToOne = matching === 'greedy' || matching === 'sinkhorn';
  const matched = isOneToOne ? matchedRanks(table, matching) : null;
  const pairs: AlignedPair[] = [];
  table.sources.forEach((source, row) => {
    const rank = matched === null ? 0 : matched[row]!;
    const target = rank < 0 ? -1 : table.indices[row * table.width + rank]!;
    if (target < 0) return;
    const evidence = evidenceOf(table, row, rank);
    if (matching === 'mutual' && !evidence.mutual) return;
    const probability = confidence === null ? null : confidenceOf(confidence, evidence);
    if (minConfidence > 0 && (probability ?? evidence.margin) < minConfidence) return;
    pairs.push({ source, target: table.targets[target]!, confidence: probability, ...evidence });
  });
  const sureness = (pair: AlignedPair) => pair.confidence ?? pair.margin;
  return pairs.sort((a, b) => sureness(b) - sureness(a) || a.source - b.source);
}

/** Rank of the candidate that a one-to-one matching gives to each source, -1 for none. */
function matchedRanks(table: CandidateTable, matching: 'greedy' | 'sinkhorn'): Int32Array {
  const { sources, targets, indices, scores, width } = table;
  const size = { rowCount: sources.length, columnCount: targets.length };
  const candidates = { indices, scores, ...size };
  const { pairs } = greedyOneToOne(matching === 'sinkhorn' ? sinkhorn(candidates) : candidates);
  const ranks = new Int32Array(sources.length).fill(-1);
  for (let at = 0; at < pairs.length; at += 2) {
    const row = pairs[at]!;
    const candidates = indices.subarray(row * width, (row + 1) * width);
    ranks[row] = candidates.indexOf(pairs[at + 1]!);
  }
  return ranks;
}
