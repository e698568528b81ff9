/**
 * The alignment itself: for every entity of the first graph its counterpart in the second, with a
 * score, a margin and a confidence.
 */
import { checkOptions, type OptionFields, optionFields } from '@lab/core';
import { greedyOneToOne, sinkhorn } from '@lab/graph';
import { z } from 'zod';
import type { CandidateTable } from './candidate-table.js';
import {
  type ConfidenceModel,
  confidenceOf,
  fitConfidence,
  type PairEvidence,
} from './confidence.js';
import { type Matching, matchings } from './matchings.js';

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

/** The options of `alignEntities` as calls check them. */
export const alignFields = {
  matching: z.enum(matchings).optional(),
  minConfidence: optionFields.share.optional(),
  signal: optionFields.signal,
} satisfies OptionFields<AlignOptions>;

const alignSchema = z.strictObject(alignFields);

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
  checkOptions('alignment/alignEntities', options, alignSchema);
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
