/**
 * How well the vectors of a model find the counterparts of known pairs.
 */
import type { Random } from '@lab/core';
import type { AlignmentData } from '@lab/graph';
import { rankingMetrics } from '@lab/metrics';
import type { PairRanks } from '@lab/tensor';
import type { AlignmentMetrics } from './alignment-metrics.js';
import { comparedRows } from './compared-rows.js';
import type { AlignmentConfig } from './config-fields.js';
import type { AlignmentTask } from './data.js';
import type { Encoding, EntitySides, Learner } from './learner.js';
import { ranksByEvidence, stateEvidence } from './evidence/ranked-evidence.js';
import { rankCounterparts, weighsEvidence } from './search/search.js';

/** Cut-offs of the field's tables, and 5. */
const hitsAt = [1, 5, 10, 50] as const;

/** Metrics and the ranks behind them, one per pair in the order given. */
export interface AlignmentEvaluation extends AlignmentMetrics {
  readonly forwardRanks: Float64Array;
  readonly backwardRanks: Float64Array;
  /** What the ranking did otherwise than asked, for the user. */
  readonly remarks: readonly string[];
}

/** What an evaluation needs beside the model. */
export interface EvaluationInput {
  /** Pairs whose counterparts are looked for, interleaved (left, right). */
  readonly pairs: Int32Array;
  /** Stream of the model's noise, where it evaluates with noise. */
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
}

/** The parts of a training that an evaluation reads. */
export interface Evaluated {
  readonly config: AlignmentConfig;
  readonly learner: Learner;
  readonly task: AlignmentTask;
}

/**
 * Hits@1, 5, 10 and 50, MRR and mean rank of the pairs, in both directions.
 *
 * Candidates are the pairs' own entities (`test`) or every entity of the other graph (`all`);
 * similarity is cosine with CSLS over the same candidates; equal similarities get the mean rank.
 * By evidence, where the config says so, of each modality in place of the cosine alone. Where an
 * index is searched all metrics are approximate, and a remark says so.
 *
 * @throws {ModelError} when a similarity is NaN.
 */
export async function evaluateModel(
  state: Evaluated,
  input: EvaluationInput,
): Promise<AlignmentEvaluation> {
  const encoding = state.learner.encode();
  try {
    return await evaluateEncoding(state, encoding, input);
  } finally {
    encoding.dispose();
  }
}

/** As `evaluateModel`, on an encoding that the caller keeps. */
export async function evaluateEncoding(
  evaluated: Ranked,
  encoding: Encoding,
  { pairs, random, signal }: EvaluationInput,
): Promise<AlignmentEvaluation> {
  const sides = candidateSides(evaluated.task.data, pairs, evaluated.config.evaluation.candidates);
  const { evidence, ...ranks } = await rankSides(evaluated, encoding, { sides, random, signal });
  const found = rankedPairs(ranks, sides.rows);
  return evidence === undefined ? found : { ...found, evidence };
}

/** The parts of a training that a ranking reads. */
export type Ranked = Pick<Evaluated, 'config' | 'task'> & {
  readonly learner: Pick<Learner, 'modalities'>;
};

/** Ranks of the counterparts of some entities, by row. */
export async function rankSides(
  ranked: Ranked,
  encoding: Encoding,
  {
    sides,
    random,
    signal,
  }: { readonly sides: Omit<CandidateSides, 'rows'> } & Omit<EvaluationInput, 'pairs'>,
): Promise<PairRanks & Pick<AlignmentMetrics, 'evidence'>> {
  const { cslsNeighbours, search, scores } = ranked.config.evaluation;
  const rows = await comparedRows(encoding, sides, { random, signal });
  try {
    if (weighsEvidence(sides, ranked.config.evaluation)) {
      const found = await stateEvidence(ranked, { sides, rows, encoding, signal });
      return { ...(await ranksByEvidence(found, sides.gold)), evidence: found.thresholds };
    }
    const ranks = await rankCounterparts(rows, sides.gold, {
      ...{ search, cslsNeighbours, signal },
      random: random.fork('search'),
    });
    const remarks = scores === 'evidence' ? [...ranks.remarks, indexedScores] : ranks.remarks;
    return { ...ranks, remarks };
  } finally {
    rows.dispose();
  }
}

/** What is said where evidence was asked for among too many entities. */
export const indexedScores =
  'Pairs are scored by the fused vectors: evidence is weighed up to 65,536 entities a side, ' +
  'where no index is searched.';

/**
 * Metrics from ranks that are listed by row, brought into the order of the pairs.
 *
 * @param rows - row of each pair; rows without a pair have no rank.
 */
export function rankedPairs(ranks: PairRanks, rows: Int32Array): AlignmentEvaluation {
  const positionOfRow = new Map(
    Array.from(rows)
      .sort((a, b) => a - b)
      .map((row, at) => [row, at]),
  );
  const inPairOrder = (values: Float64Array) =>
    Float64Array.from(rows, (row) => values[positionOfRow.get(row)!]!);
  const forwardRanks = inPairOrder(ranks.forwardRanks);
  const backwardRanks = inPairOrder(ranks.backwardRanks);
  return {
    forward: rankingMetrics(forwardRanks, { hitsAt }),
    backward: rankingMetrics(backwardRanks, { hitsAt }),
    forwardRanks,
    backwardRanks,
    remarks: ranks.remarks,
  };
}

/** Rows and columns of the similarity matrix, and where the pairs lie in it. */
export interface CandidateSides extends EntitySides {
  /** Column of each row's counterpart, -1 for none. */
  readonly gold: Int32Array;
  /** Row of each pair. */
  readonly rows: Int32Array;
}

/** The entities to compare for these pairs. */
export function candidateSides(
  data: AlignmentData,
  pairs: Int32Array,
  candidates: AlignmentConfig['evaluation']['candidates'],
): CandidateSides {
  const count = pairs.length / 2;
  if (candidates === 'test') {
    const rows = Int32Array.from({ length: count }, (_, index) => index);
    const left = Int32Array.from(rows, (index) => pairs[2 * index]!);
    const right = Int32Array.from(rows, (index) => pairs[2 * index + 1]!);
    return { left, right, gold: rows, rows };
  }
  const rowOf = new Map(Array.from(data.left, (entity, row) => [entity, row]));
  const columnOf = new Map(Array.from(data.right, (entity, column) => [entity, column]));
  const gold = new Int32Array(data.left.length).fill(-1);
  const rows = new Int32Array(count);
  for (let pair = 0; pair < count; pair += 1) {
    const row = rowOf.get(pairs[2 * pair]!)!;
    rows[pair] = row;
    gold[row] = columnOf.get(pairs[2 * pair + 1]!)!;
  }
  return { left: data.left, right: data.right, gold, rows };
}
